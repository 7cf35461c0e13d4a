import { messageOf, notFound } from '#base/errors.ts'
import type { DriverVolume, VolumeDriver } from './driver.ts'
import type { LocalDriver } from './local-driver.ts'
import { localDriverName, type Volume, type VolumeView } from './volume.ts'

/** Drivers that other programs serve. */
export interface PluginSource {
  /** Undefined: nobody serves a volume driver under this name.   @throws `unavailable` */
  find(name: string): Promise<VolumeDriver | undefined>
  /** All that can be found now; one that does not answer is told in the warnings. */
  all(): Promise<{ readonly drivers: readonly VolumeDriver[]; readonly warnings: readonly string[] }>
}

/** The local driver and those of plugins, by name. */
export class VolumeDrivers {
  readonly #local: LocalDriver
  readonly #plugins: PluginSource

  constructor(local: LocalDriver, plugins: PluginSource) {
    this.#local = local
    this.#plugins = plugins
  }

  /** @throws `not-found` in Docker's words */
  async get(name: string): Promise<VolumeDriver> {
    if (name === localDriverName) return this.#local
    const found = await this.#plugins.find(name)
    if (!found) throw notFound(`error looking up volume plugin ${name}: plugin ${JSON.stringify(name)} not found`)
    return found
  }

  /** A volume that was made here, with what its driver knows of it. */
  async view(volume: Volume): Promise<VolumeView> {
    if (volume.driver === localDriverName) return toView(volume, this.#local, this.#local.describe(volume.name))
    const driver = await this.get(volume.driver)
    const found = await driver.find(volume.name)
    if (!found) throw notFound(`get ${volume.name}: no such volume`)
    return toView(volume, driver, found)
  }

  /** A volume that a plugin has but nobody made here. */
  async findElsewhere(name: string): Promise<VolumeView | undefined> {
    const { drivers } = await this.#plugins.all()
    for (const driver of drivers) {
      const found = await driver.find(name).catch(() => undefined)
      if (found) return foreign(driver, found)
    }
    return undefined
  }

  /** Those that were made here, and what else the plugins have. */
  async list(
    known: readonly Volume[],
  ): Promise<{ readonly volumes: readonly VolumeView[]; readonly warnings: readonly string[] }> {
    const { drivers, warnings } = await this.#plugins.all()
    const own = known.filter(({ driver }) => driver === localDriverName)
    const lists = await Promise.all(drivers.map((driver) => listOf(driver, known)))
    return {
      volumes: [
        ...own.map((volume) => toView(volume, this.#local, this.#local.describe(volume.name))),
        ...lists.flatMap(({ volumes }) => volumes),
      ],
      warnings: [...warnings, ...lists.flatMap(({ warnings: more }) => more)],
    }
  }
}

async function listOf(driver: VolumeDriver, known: readonly Volume[]) {
  try {
    const found = await driver.list()
    const recorded = (name: string) => known.find((one) => one.name === name && one.driver === driver.name)
    const volumes = found.map((one) => {
      const volume = recorded(one.name)
      return volume ? toView(volume, driver, one) : foreign(driver, one)
    })
    return { volumes, warnings: [] }
  } catch (error) {
    return { volumes: [], warnings: [`list: ${driver.name}: ${messageOf(error)}`] }
  }
}

function toView(volume: Volume, { scope }: VolumeDriver, { mountpoint, createdAt, status }: DriverVolume): VolumeView {
  return { volume: { ...volume, createdAt: createdAt ?? volume.createdAt }, mountpoint, scope, status }
}

function foreign(driver: VolumeDriver, found: DriverVolume): VolumeView {
  const volume = {
    name: found.name,
    driver: driver.name,
    options: undefined,
    labels: undefined,
    createdAt: found.createdAt,
  }
  return toView(volume, driver, found)
}
