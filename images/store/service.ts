import { dirname, join } from 'node:path'
import type { Digest } from '#base/digest.ts'
import { invalid, messageOf, notFound } from '#base/errors.ts'
import { Filters } from '#base/filters.ts'
import type { Logger } from '#base/log.ts'
import { RetryLater } from '#base/retry-later.ts'
import { SingleRun } from '#base/single-run.ts'
import type { ImageConfig } from '#oci/image-config.ts'
import { type Platform, parsePlatform } from '#oci/platform.ts'
import { familiarName, familiarReference, formatReference, type Reference, withDefaultTag } from '#oci/reference.ts'
import type { Database } from '#state/database.ts'
import { type ImportFrom, startImport } from '../archive/import-source.ts'
import { type LoadRequest, loadImages } from '../archive/load.ts'
import { type SaveRequest, saveImages } from '../archive/save.ts'
import { DiskBudget, type DiskLimits } from '../budget/disk-budget.ts'
import { checkStore } from '../check/check.ts'
import type { CheckEvent } from '../check/check-event.ts'
import type { CheckPorts } from '../check/check-ports.ts'
import { Leases } from '../content/leases.ts'
import { openLocalStore } from '../content/local-store.ts'
import type { Compression } from '../layers/compress.ts'
import { inspectRemote, type RemoteImage } from '../registry/inspect.ts'
import { login } from '../registry/login.ts'
import { type SearchResult, searchRegistry } from '../registry/search.ts'
import type { TransportLimits } from '../registry/transport.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'
import { type ContainerCommit, commitContainer } from '../transfer/commit.ts'
import type { LayerProgress } from '../transfer/download-layer.ts'
import { importLayout } from '../transfer/import-layout.ts'
import type {
  LoadProgress,
  PullProgress,
  PullRequest,
  PushProgress,
  PushRequest,
  RegistryAuth,
} from '../transfer/progress.ts'
import { type PullPorts, pull } from '../transfer/pull.ts'
import { type PushPorts, push } from '../transfer/push.ts'
import { SharedTasks } from '../transfer/shared-tasks.ts'
import type { TransferSettings } from '../transfer/transfer-settings.ts'
import { repairImages } from './damage.ts'
import { type Attempt, explained, explainedProgress } from './explain-failure.ts'
import { collectUnlisted, sweep } from './garbage.ts'
import type { Image, ImageGraph, ImageHistory, ImageWithSharing } from './image.ts'
import { ImageStore, type StoredReference } from './image-store.ts'
import { LayoutIndex } from './layout-index.ts'
import { selectImages } from './list.ts'
import { findImage } from './lookup.ts'
import { type ImageManifest, manifestReader } from './manifests.ts'
import { platformMismatch } from './platform-match.ts'
import type { EventSink, ImageUsers } from './ports.ts'
import { type ImagePrune, pruneImages } from './prune.ts'
import { toHistory, toImage } from './read-image.ts'
import { dropUnnamedTwins } from './references.ts'
import { type Removal, type RemoveOptions, removeImage } from './remove.ts'
import { searchFilter } from './search.ts'
import { sharedSizes } from './usage.ts'

export interface ImageServiceOptions {
  /** `<data-root>/content` */
  readonly contentRoot: string
  /** `<data-root>/quarantine`: where a repair puts what is damaged. */
  readonly quarantine: string
  readonly disk?: DiskLimits
  readonly database: Database
  /** Stays the caller's to dispose. */
  readonly snapshots: Snapshotter
  /** Path of the berth-unpack executable. */
  readonly unpackExecutable: string
  readonly users: ImageUsers
  readonly events: EventSink
  readonly transfers: TransferSettings
  readonly log: Logger
  /** Of pushed layers that were made here; gzip, as Docker has it. */
  readonly pushCompression?: Compression
  /** Instead of those of `transfers`. */
  readonly transportLimits?: Partial<TransportLimits>
  /** Called when pulls and pushes have ended and none is running: a time to give memory back. */
  readonly onIdle?: () => void
}

/** Opens the images of a data root: what a killed daemon left unfinished is collected, what a power cut damaged is unpacked again. */
export async function openImages(options: ImageServiceOptions): Promise<ImageService> {
  const { database, snapshots, users, events, transfers, unpackExecutable, log } = options
  const content = await openLocalStore(options.contentRoot)
  const store: ImageStore = new ImageStore(database, () => index.touch())
  const index = new LayoutIndex(join(options.contentRoot, 'index.json'), store, (error) =>
    log.warn({ error: messageOf(error) }, 'index.json of the content store could not be written'),
  )
  const retries = new RetryLater()
  const ports: ServicePorts = {
    database,
    snapshots,
    users,
    events,
    registries: transfers.registries,
    executable: unpackExecutable,
    root: dirname(options.contentRoot),
    quarantine: options.quarantine,
    store,
    index,
    content,
    budget: new DiskBudget({ root: options.contentRoot, content, snapshots, limits: options.disk ?? {} }),
    leases: new Leases(),
    tasks: new SharedTasks<LayerProgress>(),
    slots: transfers.downloads,
    pushCompression: options.pushCompression ?? 'gzip',
    uploadSlots: transfers.uploads,
    transportLimits: options.transportLimits ?? transfers.limits,
    retries,
    onGarbage: (error) => {
      log.warn({ error: messageOf(error) }, 'what no image needs could not be removed; it is tried again')
      retries.add('sweep', () => sweep(ports))
    },
    onMirrorFailure: (mirror, error) =>
      log.warn({ mirror, error: messageOf(error) }, 'a mirror failed; others are asked'),
  }
  await repairImages(ports, log)
  await sweep(ports).catch((error: unknown) =>
    log.warn({ error: messageOf(error) }, 'what no image needs is still on the disk'),
  )
  index.touch()
  return new ImageService(ports, options.onIdle)
}

interface ServicePorts extends PullPorts, PushPorts, CheckPorts {
  readonly users: ImageUsers
  readonly index: LayoutIndex
  readonly retries: RetryLater
  /** The data root. */
  readonly root: string
}

export interface ImageSearch {
  readonly term: string
  /** 1 to 100. */
  readonly limit: number
  readonly filters: Filters
  readonly auth: RegistryAuth | undefined
}

/** As src/containers/ports.ts has it. */
export interface ImageForContainer {
  readonly id: Digest
  readonly root: Digest
  readonly config: ImageConfig
  readonly chainId: string | undefined
}

/** Everything that can be done with images. Names are references, ids, or unambiguous prefixes of ids. */
export class ImageService implements AsyncDisposable {
  readonly #ports: ServicePorts
  readonly #onIdle: () => void
  readonly #stopped = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #checking = new SingleRun('a check is already running')
  readonly #pruning = new SingleRun('a prune operation is already running')
  #transfers = 0

  constructor(ports: ServicePorts, onIdle: () => void = () => undefined) {
    this.#ports = ports
    this.#onIdle = onIdle
  }

  /** Filters: reference, dangling, label, before, since, until; newest first.   @throws `invalid`, `not-found` */
  list(filters: Filters, { all = false }: { all?: boolean } = {}): Image[] {
    const references = Map.groupBy(this.#ports.store.references(), ({ key }) => key.id)
    const rows = Map.groupBy(this.#ports.store.list(), ({ id }) => id)
    const images = [...rows].map(([id, same]) => toImage(same, references.get(id) ?? [], undefined))
    return selectImages(images, { filters, all }, (name) => this.get(name))
  }

  /** As `list`, with what only a look at all images can tell. */
  listWithSharing(filters: Filters, options: { all?: boolean } = {}): ImageWithSharing[] {
    const shared = sharedSizes(this.#ports.store.list())
    const users = this.#ports.users.counts()
    return this.list(filters, options).map((image) => ({
      image,
      sharedBytes: shared.get(image.id) ?? 0,
      users: users.get(image.id) ?? 0,
    }))
  }

  /** The manifests below the root of each image, in its order. */
  async manifestsOf(images: readonly Image[]): Promise<readonly (readonly ImageManifest[])[]> {
    const read = manifestReader(this.#ports)
    const found: (readonly ImageManifest[])[] = []
    for (const { root } of images) found.push(await read(root))
    return found
  }

  /** @param platform must match, when given   @throws `not-found` with Docker's texts */
  get(name: string, platform?: Platform): Image {
    const { id, root } = findImage(this.#ports.store, name)
    const image = this.#read(id, root)
    const mismatch = platform && platformMismatch(name, image.config, platform)
    if (mismatch) throw notFound(mismatch, { code: 'platform-mismatch' })
    return image
  }

  /** The driver of its layers and the directories of the topmost one, by dockerd's names; undefined where the layers are not unpacked. */
  graphOf({ chainId }: Image): ImageGraph {
    const { snapshots } = this.#ports
    const isThere = chainId !== undefined && snapshots.find(chainId) !== undefined
    return { driver: snapshots.driver, directories: isThere ? snapshots.describe(chainId) : undefined }
  }

  /** What a container needs of an image.   @param platform must match, when given   @throws `not-found` with Docker's texts */
  getForContainer(name: string, platform?: string): ImageForContainer {
    const image = this.get(name, platform === undefined ? undefined : parsePlatform(platform))
    return { id: image.id, root: image.root.digest, config: image.config, chainId: image.chainId }
  }

  /** Lines of `docker history`, newest first.   @param platform must match, when given   @throws as `get` does */
  history(name: string, platform?: Platform): ImageHistory[] {
    const image = this.get(name, platform)
    const row = this.#ports.store.withId(image.id).find(({ root }) => root.digest === image.root.digest)
    return row ? toHistory(row, this.#ancestry(image)) : []
  }

  /** Points `target` (a tag; `latest` if it names none) at the image. */
  async tag(name: string, target: Reference): Promise<void> {
    const { store, database, events } = this.#ports
    const { id, root, config } = this.get(name)
    const { domain, path, tag } = withDefaultTag(target)
    if (familiarName({ domain, path }) === 'sha256') {
      throw invalid('refusing to create an ambiguous tag using digest algorithm as name')
    }
    const reference = { domain, path, tag: tag ?? 'latest' }
    database.checkRoom()
    const freed = database.transaction(() => {
      const tagged = formatReference(reference)
      const before: StoredReference | undefined = store.findReference(tagged)
      store.setReference({ name: tagged, kind: 'tag', key: { root: root.digest, id }, setAt: Date.now() })
      const attributes = { ...config.config.Labels, name: familiarReference(reference) }
      events.publish({ type: 'image', action: 'tag', actor: { id, attributes } })
      return before ? dropUnnamedTwins(store, before.key.id) : []
    })
    if (freed.length === 0) return
    await this.#track(explained(this.#attempt(`tagging ${name}`), collectUnlisted(this.#ports, freed)))
  }

  /** Fails before the first progress where the registry's own answer is the error. The image is on disk when the progress ends. */
  async pull(request: PullRequest, signal: AbortSignal): Promise<AsyncIterable<PullProgress>> {
    this.#ports.database.checkRoom()
    const attempt = this.#attempt(`pulling ${familiarReference(request.reference)}`)
    const begun = pull(this.#ports, request, AbortSignal.any([signal, this.#stopped.signal]))
    return await this.#transfer(attempt, begun)
  }

  /** A tar of images, as `docker save` writes it; read it to its end or return it.   @throws `not-found`, `invalid` with Docker's texts */
  async save(request: SaveRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return await this.#track(saveImages(this.#ports, request, AbortSignal.any([signal, this.#stopped.signal])))
  }

  /** Takes the images of an archive. Resolves when it has arrived; what it is refused for ends the progress. */
  async load(request: LoadRequest, signal: AbortSignal): Promise<AsyncIterable<LoadProgress>> {
    this.#ports.database.checkRoom()
    await this.#checkRoom('loading images')
    const begun = loadImages(this.#ports, request, AbortSignal.any([signal, this.#stopped.signal]))
    return await this.#transfer(this.#attempt('loading images'), begun)
  }

  /** Makes an image of one layer from a tar of its files; its id ends the progress.   @throws `invalid`, `not-found`, `unavailable` */
  async import(request: ImportFrom, signal: AbortSignal): Promise<AsyncIterable<PullProgress>> {
    this.#ports.database.checkRoom()
    await this.#checkRoom('importing an image')
    const begun = startImport(this.#ports, request, AbortSignal.any([signal, this.#stopped.signal]))
    return await this.#transfer(this.#attempt('importing an image'), begun)
  }

  /** Makes an image of a container.   @returns its id   @throws as `commitContainer` does */
  async commit(commit: ContainerCommit, signal: AbortSignal): Promise<Digest> {
    this.#ports.database.checkRoom()
    const ended = AbortSignal.any([signal, this.#stopped.signal])
    const attempt = this.#attempt('committing a container')
    return await this.#track(explained(attempt, commitContainer(this.#ports, commit, ended)))
  }

  /** Pushes one tag or all of a repository; what goes wrong ends the progress.   @throws `not-found` when it is not of the platform asked for */
  push(request: PushRequest, signal: AbortSignal): AsyncIterable<PushProgress> {
    const { reference, platform } = request
    if (platform !== undefined) this.get(familiarReference(withDefaultTag(reference)), platform)
    this.#ports.database.checkRoom()
    const { progress, done } = push(this.#ports, request, AbortSignal.any([signal, this.#stopped.signal]))
    this.#transfers += 1
    void this.#track(done).then(() => this.#transferEnded())
    return explainedProgress(this.#attempt(`pushing ${familiarReference(reference)}`), progress)
  }

  /** @returns the token to keep instead of the password, or ''   @throws `unauthorized`, `unavailable` with Docker's texts */
  async login(server: string, auth: RegistryAuth, signal: AbortSignal): Promise<string> {
    const { registries: config, transportLimits } = this.#ports
    return await login({ server, auth, config, ...(transportLimits && { limits: transportLimits }) }, signal)
  }

  /** What a registry has under a reference; nothing is kept.   @throws `not-found` and others in the registry's words */
  async inspectRemote(reference: Reference, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<RemoteImage> {
    const { registries: config, transportLimits: limits } = this.#ports
    return await this.#track(inspectRemote({ reference, auth, config, ...(limits && { limits }) }, signal))
  }

  /** Filters: stars, is-official, is-automated.   @throws `invalid`, `internal`, `unavailable` with Docker's texts */
  async search({ term, limit, filters, auth }: ImageSearch, signal: AbortSignal): Promise<readonly SearchResult[]> {
    const fits = searchFilter(filters)
    const { registries: config, transportLimits: limits } = this.#ports
    const asked = { term, limit, auth, config, ...(limits && { limits }) }
    return (await this.#track(searchRegistry(asked, signal))).filter(fits)
  }

  /** Lists the image of an OCI layout (of our own) under a reference; does nothing when it is listed already. */
  async importLayout(directory: string, reference: Reference): Promise<void> {
    await this.#track(importLayout(this.#ports, directory, reference, this.#stopped.signal))
  }

  /** Untags, and deletes with the last reference.   @throws `not-found`, `conflict` with Docker's texts */
  async remove(name: string, options: RemoveOptions): Promise<Removal[]> {
    return await this.#track(explained(this.#attempt(`removing ${name}`), removeImage(this.#ports, name, options)))
  }

  /** Removes dangling images, or with `dangling=false` all that no container uses.   @throws `invalid`, `conflict` while another one runs */
  async prune(filters: Filters, signal: AbortSignal): Promise<ImagePrune> {
    const request = { filters, signal: AbortSignal.any([signal, this.#stopped.signal]) }
    const pruning = this.#pruning.run(() => pruneImages(this.#ports, this.list(new Filters()).toReversed(), request))
    return await this.#track(explained(this.#attempt('pruning images'), pruning))
  }

  /** Checks what is stored, and mends it when asked to; stops with the reader.   @throws `conflict` while another one runs */
  async *check({ repair }: { repair: boolean }, signal: AbortSignal): AsyncGenerator<CheckEvent> {
    using _ = this.#checking.enter()
    yield* checkStore(this.#ports, { repair, signal: AbortSignal.any([signal, this.#stopped.signal]) })
  }

  /** Removes blobs and snapshots that nothing needs; for after the removal of a container whose image is gone. */
  async collectGarbage(): Promise<void> {
    await this.#track(sweep(this.#ports))
  }

  /** Stops pulls and pushes and waits until all of them have cleaned up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort()
    this.#ports.retries[Symbol.dispose]()
    await Promise.allSettled(this.#running)
    await this.#ports.index[Symbol.asyncDispose]()
  }

  /** Where the size is not known beforehand.   @throws `no-space` */
  async #checkRoom(what: string): Promise<void> {
    using _ = await explained(this.#attempt(what), this.#ports.budget.admit(what, 0))
  }

  #attempt(what: string): Attempt {
    return { what, root: this.#ports.root }
  }

  async #transfer<P>(
    attempt: Attempt,
    begun: Promise<{ readonly progress: AsyncIterable<P>; readonly done: Promise<void> }>,
  ): Promise<AsyncIterable<P>> {
    const { progress, done } = await this.#track(explained(attempt, begun))
    this.#transfers += 1
    void this.#track(done).then(() => this.#transferEnded())
    return explainedProgress(attempt, progress)
  }

  #transferEnded(): void {
    this.#transfers -= 1
    if (this.#transfers === 0) this.#onIdle()
  }

  #read(id: Digest, root: Digest | undefined): Image {
    const { store } = this.#ports
    return toImage(store.withId(id), store.referencesOf(id), root)
  }

  /** The image and those it was made of, as far as they are here. */
  *#ancestry(image: Image): Generator<Image> {
    yield image
    for (let { parent } = image; parent !== undefined && this.#ports.store.withId(parent).length > 0; ) {
      const next = this.#read(parent, undefined)
      yield next
      parent = next.parent
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    const forget = () => this.#running.delete(work)
    work.then(forget, forget)
    return work
  }
}
