import { type Clock, systemClock } from '#base/clock.ts'
import { BerthError, conflict, isKind, messageOf, notFound } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import { newId } from '#base/ids.ts'
import { KeyedLock } from '#base/keyed-lock.ts'
import type { Logger } from '#base/log.ts'
import { SingleRun } from '#base/single-run.ts'
import type { EngineEvent } from '#events/event.ts'
import { type PluginSource, VolumeDrivers } from './drivers.ts'
import { Holds } from './holds.ts'
import { listVolumes } from './list.ts'
import { LocalDriver, type LocalDriverPorts } from './local-driver.ts'
import { type PrunePolicy, pruneVolumes, type VolumePrune } from './prune.ts'
import {
  anonymousLabel,
  localDriverName,
  type Volume,
  type VolumeRequest,
  type VolumeUsage,
  type VolumeView,
} from './volume.ts'
import { type VolumeDatabase, VolumeStore } from './volume-store.ts'

export interface VolumeOptions {
  readonly database: VolumeDatabase
  readonly local: LocalDriverPorts
  readonly plugins: PluginSource
  /** By name, the containers on record that have the volume. */
  readonly users: () => ReadonlyMap<string, readonly string[]>
  /** Called within the transaction that makes or removes a volume. */
  readonly publish: (event: Omit<EngineEvent, 'time'>) => void
  readonly log: Logger
  readonly clock?: Clock
}

/** Volumes by name. Rows are the truth of what was made here; where the data is, and what else there is, their drivers say. */
export class VolumeService {
  readonly #store: VolumeStore
  readonly #local: LocalDriver
  readonly #drivers: VolumeDrivers
  readonly #options: VolumeOptions
  readonly #clock: Clock
  readonly #locks = new KeyedLock()
  readonly #volumes = new Map<string, Volume>()
  /** Those whose container is not on record yet. */
  readonly #unsettled = new Set<string>()
  readonly #holds = new Holds()
  /** Who has what mounted. */
  readonly #mounted = new Holds()
  readonly #pruning = new SingleRun('a prune operation is already running')

  private constructor(options: VolumeOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#store = new VolumeStore(options.database)
    this.#local = new LocalDriver(options.local)
    this.#drivers = new VolumeDrivers(this.#local, options.plugins)
  }

  /**
   * Finishes what a killed daemon began.
   * @param mountedBy containers that run and have the volume
   */
  static async open(options: VolumeOptions, mountedBy: (name: string) => readonly string[]): Promise<VolumeService> {
    const service = new VolumeService(options)
    await service.#recover()
    for (const name of service.#volumes.keys()) {
      for (const holder of mountedBy(name)) service.#mounted.add(holder, name)
    }
    await service.#local.reconcile([...service.#volumes.values()], mountedBy).catch((error: unknown) => {
      options.log.warn({ error: messageOf(error) }, 'what volumes were mounted from is not all unmounted')
    })
    return service
  }

  /** A volume of this name that is there is taken as it is.   @throws `invalid`, `not-found` for the driver, `conflict` in Docker's words */
  async create(request: VolumeRequest): Promise<VolumeView> {
    const name = request.name === '' ? newId() : request.name
    using _held = await this.#locks.acquire(name)
    const volume = await this.#findOrMake(named(request, name), 'ready')
    await this.#store.sync()
    return await this.#drivers.view(volume)
  }

  /** By name.   @throws `not-found` */
  async get(name: string): Promise<VolumeView> {
    const known = this.#volumes.get(name)
    if (known) return await this.#drivers.view(known)
    const foreign = await this.#drivers.findElsewhere(name)
    if (!foreign) throw notFound(`get ${name}: no such volume`)
    return foreign
  }

  /** Filters: dangling, driver, label, name.   @throws `invalid` */
  list(filters: Filters): Promise<{ readonly volumes: readonly VolumeView[]; readonly warnings: readonly string[] }> {
    const known = [...this.#volumes.values()]
    const users = this.#options.users()
    return listVolumes(
      { known, drivers: this.#drivers, isUsed: (name) => users.has(name) || this.#holds.has(name) },
      filters,
    )
  }

  /** @throws `not-found`, unless it is forced, `conflict` while a container has it */
  async remove(name: string, { force }: { readonly force: boolean }): Promise<void> {
    try {
      await this.#remove(name)
    } catch (error) {
      if (!force || !isKind(error, 'not-found')) throw error
      // Its plugin has gone for good, or so the user says.
      const orphan = this.#volumes.get(name)
      if (orphan && this.#usersOf(name).length === 0) {
        this.#volumes.delete(name)
        this.#forget(orphan)
      }
    }
  }

  /** Filters: all, label.   @throws `conflict` while another one runs, `invalid` */
  prune(filters: Filters, policy: PrunePolicy, signal: AbortSignal): Promise<VolumePrune> {
    return this.#pruning.run(async () => {
      const report = await pruneVolumes(
        {
          unused: () => {
            const users = this.#options.users()
            return this.#localVolumes().filter(({ name }) => !users.has(name) && !this.#holds.has(name))
          },
          usage: (volume) => this.#usage(volume, signal),
          remove: (name) => this.#remove(name),
        },
        { filters, policy, signal },
      )
      const attributes = { reclaimed: `${report.reclaimedBytes}` }
      this.#options.publish({ type: 'volume', action: 'prune', actor: { id: '', attributes } })
      return report
    })
  }

  /** Of local volumes that are directories of ours. */
  async usage(): Promise<readonly VolumeUsage[]> {
    const usages: VolumeUsage[] = []
    const users = this.#options.users()
    for (const volume of this.#localVolumes()) {
      const bytes = await this.#usage(volume).catch(() => -1)
      usages.push({ ...(await this.#drivers.view(volume)), bytes, references: users.get(volume.name)?.length ?? 0 })
    }
    return usages
  }

  /**
   * For a container that is being made: the volume stays until `settle` (its record, which names the volume, is written in the same
   * transaction) or `letGo`.   @throws as `create` does
   */
  async acquire(request: VolumeRequest, containerId: string): Promise<VolumeView> {
    const name = request.name === '' ? newId() : request.name
    // Before the lock: whoever removes it at this moment is waited for, and whoever comes later is told no.
    this.#holds.add(containerId, name)
    using _held = await this.#locks.acquire(name)
    const volume = await this.#findOrMake(named(request, name), 'making')
    return await this.#drivers.view(volume)
  }

  /** To be called in the transaction that writes the container's record, before it. */
  settle(containerId: string): void {
    for (const name of this.#holds.of(containerId)) {
      if (this.#unsettled.has(name)) this.#setReady(name)
    }
    this.#store.afterCommit(() => this.#holds.release(containerId))
  }

  /** The container is not made after all: what only it wanted goes. */
  async letGo(containerId: string): Promise<void> {
    const names = this.#holds.of(containerId)
    this.#holds.release(containerId)
    for (const name of names) {
      using _held = await this.#locks.acquire(name)
      const volume = this.#volumes.get(name)
      if (volume && this.#unsettled.has(name) && !this.#holds.has(name)) await this.#removeUnsettled(volume)
    }
  }

  /**
   * Takes volumes away together with the container that had them. To be called in the transaction that deletes the container's record; those
   * that others have stay.   @returns what deletes their data, which may be done later: a killed daemon's next one does it
   */
  discard(names: readonly string[], containerId: string): () => Promise<void> {
    const going = names.flatMap((name) => {
      const others = this.#usersOf(name).filter((user) => user !== containerId)
      return others.length > 0 ? [] : (this.#volumes.get(name) ?? [])
    })
    for (const { name } of going) {
      this.#store.setState(name, 'removing')
      this.#store.afterCommit(() => this.#volumes.delete(name))
    }
    return async () => {
      for (const volume of going) await this.#finishRemoval(volume)
    }
  }

  /** @returns where its data is on the host until `unmount`   @throws `not-found` when somebody took the volume away */
  async mount(name: string, containerId: string): Promise<string> {
    const volume = this.#volumes.get(name)
    if (!volume) throw notFound(`get ${name}: no such volume`)
    const path = await (await this.#drivers.get(volume.driver)).mount(volume, containerId)
    this.#mounted.add(containerId, name)
    return path
  }

  /** What is not mounted is left alone. */
  async unmount(name: string, containerId: string): Promise<void> {
    const volume = this.#volumes.get(name)
    if (!volume || !this.#mounted.of(containerId).includes(name)) return
    await (await this.#drivers.get(volume.driver)).unmount(volume, containerId)
    this.#mounted.remove(containerId, name)
  }

  async #findOrMake(request: VolumeRequest & { readonly name: string }, state: 'making' | 'ready'): Promise<Volume> {
    const { name } = request
    return await during(`create ${name}`, async () => {
      const known = this.#volumes.get(name)
      if (!known) return await this.#make(request, state)
      if (request.driver !== '') await this.#drivers.get(request.driver)
      if (request.driver !== '' && request.driver !== known.driver) throw conflict('volume name must be unique')
      if (state === 'ready' && this.#unsettled.has(name)) {
        this.#store.transaction(() => this.#setReady(name))
      }
      return known
    })
  }

  async #make({ name, driver, options, labels }: VolumeRequest, state: 'making' | 'ready'): Promise<Volume> {
    const isNamed = labels?.[anonymousLabel] === undefined
    const foreign = driver === '' && isNamed ? await this.#drivers.findElsewhere(name) : undefined
    const chosen = await this.#drivers.get(foreign?.volume.driver ?? (driver === '' ? localDriverName : driver))
    const volume = { name, driver: chosen.name, options, labels, createdAt: this.#clock.nowNanos() }
    if (foreign || (chosen !== this.#local && (await chosen.find(name)))) return this.#adopt(volume)
    // A name that no file can have could not be removed either.
    if (chosen === this.#local) this.#local.check(volume)
    // The row first: what stands on the disk without one would be nobody's.
    this.#store.transaction(() => this.#store.insert(volume, 'making'))
    try {
      await chosen.create(volume)
      this.#unsettled.add(name)
      this.#volumes.set(name, volume)
      if (state === 'ready') this.#store.transaction(() => this.#setReady(name))
      return volume
    } catch (error) {
      // What a plugin could not make it has not.
      if (chosen !== this.#local) this.#store.transaction(() => this.#store.delete(name))
      else
        await this.#removeUnsettled(volume).catch((cause: unknown) =>
          this.#options.log.warn(
            { volume: name, error: messageOf(cause) },
            'what was made of a volume is left to the next start',
          ),
        )
      throw error
    }
  }

  /** A volume that a plugin has already: it is not ours to remove when its container is not made after all. */
  #adopt(volume: Volume): Volume {
    this.#store.transaction(() => this.#store.insert(volume, 'ready'))
    this.#volumes.set(volume.name, volume)
    return volume
  }

  #setReady(name: string): void {
    this.#store.setState(name, 'ready')
    this.#store.afterCommit(() => this.#unsettled.delete(name))
    this.#tell('create', this.#volumes.get(name))
  }

  async #remove(name: string): Promise<void> {
    using _held = await this.#locks.acquire(name)
    const volume = this.#volumes.get(name) ?? (await this.#drivers.findElsewhere(name))?.volume
    if (!volume) throw notFound(`get ${name}: no such volume`)
    const users = this.#usersOf(name)
    if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`)
    const driver = await this.#drivers.get(volume.driver)
    if (!this.#volumes.has(name)) {
      await during(`remove ${name}`, () => driver.remove(volume))
      this.#tell('destroy', volume)
      return
    }
    this.#store.transaction(() => this.#store.setState(name, 'removing'))
    this.#volumes.delete(name)
    try {
      // Nothing is deleted of which a power cut could bring the record back.
      await this.#store.sync()
      await during(`remove ${name}`, () => driver.remove(volume))
    } catch (error) {
      this.#volumes.set(name, volume)
      this.#store.transaction(() => this.#store.setState(name, 'ready'))
      throw error
    }
    this.#forget(volume)
  }

  #forget(volume: Volume): void {
    this.#store.transaction(() => {
      this.#store.delete(volume.name)
      this.#tell('destroy', volume)
    })
  }

  async #removeUnsettled(volume: Volume): Promise<void> {
    this.#volumes.delete(volume.name)
    this.#unsettled.delete(volume.name)
    await (await this.#drivers.get(volume.driver)).remove(volume)
    this.#store.transaction(() => this.#store.delete(volume.name))
  }

  async #recover(): Promise<void> {
    for (const { volume, state } of this.#store.all()) {
      if (state === 'ready') this.#volumes.set(volume.name, volume)
      try {
        if (state === 'making') await this.#removeUnsettled(volume)
        if (state === 'removing') await this.#finishRemoval(volume)
      } catch (error) {
        this.#options.log.warn({ volume: volume.name, error: messageOf(error) }, 'a removed volume is still there')
        this.#volumes.set(volume.name, volume)
        this.#store.transaction(() => this.#store.setState(volume.name, 'ready'))
      }
    }
  }

  async #finishRemoval(volume: Volume): Promise<void> {
    await (await this.#drivers.get(volume.driver)).remove(volume)
    this.#forget(volume)
  }

  #usersOf(name: string): readonly string[] {
    return [...new Set([...(this.#options.users().get(name) ?? []), ...this.#holds.holdersOf(name)])].toSorted()
  }

  #localVolumes(): Volume[] {
    return [...this.#volumes.values()].filter(
      ({ driver, options = {} }) => driver === localDriverName && Object.keys(options).length === 0,
    )
  }

  #usage({ name }: Volume, signal?: AbortSignal): Promise<number> {
    return this.#options.local.files.usage(this.#local.path(name), signal)
  }

  #tell(action: 'create' | 'destroy', volume: Volume | undefined): void {
    if (!volume) return
    const { name: id, driver } = volume
    this.#options.publish({ type: 'volume', action, actor: { id, attributes: { driver } } })
  }
}

function named(request: VolumeRequest, name: string): VolumeRequest {
  if (request.name !== '') return request
  return { ...request, name, labels: { ...request.labels, [anonymousLabel]: '' } }
}

/** Puts what was tried before the sentence of an error, as Docker does. */
async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BerthError)) throw error
    throw new BerthError(error.kind, `${what}: ${error.message}`, {
      ...(error.code !== undefined && { code: error.code }),
      cause: error,
    })
  }
}
