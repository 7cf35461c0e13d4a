import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { internal, messageOf, systemCode } from '#base/errors.ts'
import { KeyedLock } from '#base/keyed-lock.ts'
import type { DriverVolume, VolumeDriver } from './driver.ts'
import { checkLocalOptions, describe, type MountCall, needsMount, toMountCall } from './mount-options.ts'
import { mountedBelow } from './mounted.ts'
import { checkLocalName, localDriverName, type Volume } from './volume.ts'

/** mount(2) and umount2(2) of this process's own namespace; both may wait for a network. */
export interface HostMounts {
  mount(call: MountCall, target: string): Promise<void>
  /** Takes the mount out of the tree at once, whoever uses it still. */
  unmount(target: string): Promise<void>
}

/** Work on trees of strangers' files, in a child. */
export interface VolumeFiles {
  /** Deletes everything in a directory. */
  empty(directory: string): Promise<void>
  /** The lengths of its files, as Docker counts a volume. */
  usage(directory: string, signal?: AbortSignal): Promise<number>
}

export interface LocalDriverPorts {
  /** `<data root>/volumes`: made when the first volume is. */
  readonly root: string
  readonly mounts: HostMounts
  readonly files: VolumeFiles
}

/**
 * A directory for each volume: `<root>/<name>/_data`. Volumes with the options `type`, `device` and `o` are mounted there for their first
 * holder and unmounted with their last; the mount is the host's, so that it outlives the daemon as containers do.
 */
export class LocalDriver implements VolumeDriver {
  readonly name = localDriverName
  readonly scope = 'local'
  readonly #ports: LocalDriverPorts
  readonly #locks = new KeyedLock()
  readonly #holders = new Map<string, Set<string>>()

  constructor(ports: LocalDriverPorts) {
    this.#ports = ports
  }

  path(name: string): string {
    return join(this.#ports.root, name, '_data')
  }

  /** @throws `invalid` for names and options that it does not take */
  check({ name, options }: Volume): void {
    checkLocalName(name)
    checkLocalOptions(options ?? {})
  }

  async create(volume: Volume): Promise<void> {
    this.check(volume)
    const { name } = volume
    // Volumes are reached by path from containers with other users (user namespaces), so the way is open, as in Docker; the data root is not.
    await mkdir(this.#ports.root, { recursive: true, mode: 0o701 })
    await mkdir(join(this.#ports.root, name), { recursive: true, mode: 0o701 })
    await mkdir(this.path(name), { recursive: true, mode: 0o755 })
  }

  async remove(volume: Volume): Promise<void> {
    using _held = await this.#locks.acquire(volume.name)
    const path = this.path(volume.name)
    // A mount that somebody left there is not ours to empty.
    if (await this.#isMounted(path)) await this.#ports.mounts.unmount(path)
    try {
      await this.#ports.files.empty(path)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    await rm(join(this.#ports.root, volume.name), { recursive: true, force: true })
  }

  async find(name: string): Promise<DriverVolume | undefined> {
    const mountpoint = this.path(name)
    try {
      await stat(mountpoint)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      // A server that is away (ESTALE, EIO, EHOSTDOWN) takes nothing from the volume itself.
    }
    return this.describe(name)
  }

  describe(name: string): DriverVolume {
    return { name, mountpoint: this.path(name), createdAt: undefined, status: undefined }
  }

  /** Its rows are the service's, which therefore knows them all. */
  async list(): Promise<readonly DriverVolume[]> {
    return []
  }

  async mount(volume: Volume, holder: string): Promise<string> {
    const path = this.path(volume.name)
    if (!needsMount(volume.options)) return path
    using _held = await this.#locks.acquire(volume.name)
    const holders = this.#holders.get(volume.name) ?? new Set()
    if (holders.size === 0) await this.#mountNow(volume, path)
    this.#holders.set(volume.name, holders.add(holder))
    return path
  }

  async unmount(volume: Volume, holder: string): Promise<void> {
    if (!needsMount(volume.options)) return
    using _held = await this.#locks.acquire(volume.name)
    const holders = this.#holders.get(volume.name)
    if (!holders?.delete(holder) || holders.size > 0) return
    this.#holders.delete(volume.name)
    await this.#ports.mounts.unmount(this.path(volume.name))
  }

  /** At boot: holders of before are taken over, and what nobody holds any more is unmounted. */
  async reconcile(volumes: readonly Volume[], holdersOf: (name: string) => readonly string[]): Promise<void> {
    const mountable = volumes.filter(({ options }) => needsMount(options))
    if (mountable.length === 0) return
    const mounted = await mountedBelow(this.#ports.root)
    for (const { name } of mountable) {
      const holders = holdersOf(name)
      if (!mounted.has(this.path(name))) continue
      if (holders.length > 0) this.#holders.set(name, new Set(holders))
      else await this.#ports.mounts.unmount(this.path(name))
    }
  }

  async #isMounted(path: string): Promise<boolean> {
    return (await mountedBelow(this.#ports.root)).has(path)
  }

  async #mountNow({ options = {} }: Volume, path: string): Promise<void> {
    const call = await toMountCall(options)
    try {
      await this.#ports.mounts.mount(call, path)
    } catch (cause) {
      const reason = reasonOf(cause)
      throw internal(
        `error while mounting volume '${path}': failed to mount local volume: ${describe(call, path)}: ${reason}`,
        { cause },
      )
    }
  }
}

/** The system's words alone. */
function reasonOf(cause: unknown): string {
  return messageOf(cause).replace(/^.*: /, '')
}
