import { isAbsolute } from 'node:path'
import { internal, isKind } from '#base/errors.ts'
import { parseNanos } from '#base/timestamp.ts'
import type { DriverVolume, VolumeDriver } from '../driver.ts'
import type { Volume, VolumeScope } from '../volume.ts'
import type { PluginClient } from './plugin-client.ts'

/** As dockerd has them: what may move data takes longer. */
const longMs = 120_000
const shortMs = 60_000

/** A driver that a plugin serves. Its volumes are its own; we keep the labels and who made them here. */
export class RemoteDriver implements VolumeDriver {
  readonly name: string
  readonly scope: VolumeScope
  readonly #client: PluginClient

  private constructor(name: string, scope: VolumeScope, client: PluginClient) {
    this.name = name
    this.scope = scope
    this.#client = client
  }

  /** Asks the plugin what it can do; one that does not say is local. */
  static async open(name: string, client: PluginClient): Promise<RemoteDriver> {
    return new RemoteDriver(name, await scopeOf(client), client)
  }

  async create({ name, options }: Volume): Promise<void> {
    await this.#client.call('VolumeDriver.Create', { Name: name, Opts: options ?? null }, longMs)
  }

  async remove({ name }: Volume): Promise<void> {
    await this.#client.call('VolumeDriver.Remove', { Name: name }, longMs)
  }

  async find(name: string): Promise<DriverVolume | undefined> {
    try {
      const { Volume: found } = await this.#client.call('VolumeDriver.Get', { Name: name }, shortMs)
      return typeof found === 'object' && found !== null ? toDriverVolume(found, name) : undefined
    } catch (error) {
      // A plugin says in words of its own that it has none; that it does not answer is another matter.
      if (isKind(error, 'internal')) return undefined
      throw error
    }
  }

  async list(): Promise<readonly DriverVolume[]> {
    const { Volumes: found } = await this.#client.call('VolumeDriver.List', {}, shortMs)
    if (!Array.isArray(found)) return []
    return found.flatMap((one: unknown) => {
      const volume = typeof one === 'object' && one !== null ? toDriverVolume(one, '') : undefined
      return volume && volume.name !== '' ? [volume] : []
    })
  }

  async mount({ name }: Volume, holder: string): Promise<string> {
    const { Mountpoint } = await this.#client.call('VolumeDriver.Mount', { Name: name, ID: holder }, longMs)
    if (typeof Mountpoint === 'string' && isAbsolute(Mountpoint)) return Mountpoint
    throw internal(`plugin ${this.name} mounted ${name} but does not say where`)
  }

  async unmount({ name }: Volume, holder: string): Promise<void> {
    await this.#client.call('VolumeDriver.Unmount', { Name: name, ID: holder }, longMs)
  }
}

async function scopeOf(client: PluginClient): Promise<VolumeScope> {
  try {
    const { Capabilities: can } = await client.call('VolumeDriver.Capabilities', {}, shortMs)
    const scope: unknown = typeof can === 'object' && can !== null ? Reflect.get(can, 'Scope') : undefined
    return String(scope).toLowerCase() === 'global' ? 'global' : 'local'
  } catch (error) {
    if (isKind(error, 'internal')) return 'local'
    throw error
  }
}

function toDriverVolume(found: object, asked: string): DriverVolume {
  const text = (key: string): string => {
    const value: unknown = Reflect.get(found, key)
    return typeof value === 'string' ? value : ''
  }
  const status: unknown = Reflect.get(found, 'Status')
  const createdAt = text('CreatedAt')
  return {
    name: text('Name') || asked,
    mountpoint: text('Mountpoint'),
    createdAt: createdAt === '' ? undefined : parseNanos(createdAt),
    status: typeof status === 'object' && status !== null ? (status as Record<string, unknown>) : undefined,
  }
}
