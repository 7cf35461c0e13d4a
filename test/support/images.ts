import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Filters } from '#base/filters.ts'
import { silentLogger } from '#base/log.ts'
import type { EngineEvent } from '#events/event.ts'
import type { DiskLimits } from '#images/budget/disk-budget.ts'
import type { Compression } from '#images/layers/compress.ts'
import { parseRegistryConfig, type RegistrySettings } from '#images/registry/registry-config.ts'
import { openSnapshotter } from '#images/snapshots/open.ts'
import type { Snapshotter } from '#images/snapshots/snapshotter.ts'
import type { ImageUsers } from '#images/store/ports.ts'
import { type ImageService, openImages } from '#images/store/service.ts'
import type { PullProgress, PullRequest, PushProgress, PushRequest } from '#images/transfer/progress.ts'
import { TransferSettings } from '#images/transfer/transfer-settings.ts'
import { parseReference, type Reference, withDefaultTag } from '#oci/reference.ts'
import { type Database, openDatabase } from '#state/database.ts'
import { tempDirectory } from './temp.ts'
import { buildUnpackTool } from './unpack-tool.ts'

export interface TestImages extends AsyncDisposable {
  readonly service: ImageService
  readonly snapshots: Snapshotter
  readonly database: Database
  readonly events: Omit<EngineEvent, 'time'>[]
  /** Who uses which image; tests fill it. */
  readonly users: Map<string, { id: string; running: boolean }[]>
  parse(reference: string): Reference
  readonly noFilters: Filters
  /** Pulls to the end. */
  pull(reference: string, options?: PullOptions): Promise<PullProgress[]>
  /** Pushes to the end.   @returns the lines of its progress */
  push(reference: string, options?: PushOptions): Promise<string[]>
  /** What there is on disk. */
  footprint(): Promise<{ blobs: number; ingests: number; snapshots: number; directories: number }>
  /** Digests of blobs and names of committed snapshots on disk. */
  contents(): Promise<{ blobs: readonly string[]; snapshots: readonly string[] }>
  /** The file of an image, wherever in its layers. */
  readFile(image: string, path: string): Promise<string>
}

export interface PullOptions extends Partial<PullRequest> {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PullProgress) => void
}

export interface PushOptions extends Partial<PushRequest> {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PushProgress) => void
}

export interface TestImagesOptions {
  /** A data root that stays, for tests that open it twice. */
  readonly root?: string
  readonly registries?: RegistrySettings
  readonly attempts?: number
  readonly disk?: DiskLimits
  /** Waits for a slow machine rather than for a fault. */
  readonly isPatient?: boolean
  /** Another one than the machine's: as after a crash of it. */
  readonly bootId?: string
  readonly pushCompression?: Compression
  readonly maxConcurrentUploads?: number
  /** Of uploads. */
  readonly pieceBytes?: number
}

/** The real image service on a data root of its own, without a daemon around it. */
export async function openTestImages(options: TestImagesOptions = {}): Promise<TestImages> {
  await using undo = new AsyncDisposableStack()
  const root = options.root ?? undo.use(await tempDirectory('berth-images-')).path
  const executable = await buildUnpackTool()
  await mkdir(root, { recursive: true })
  const database = undo.use(openDatabase(join(root, 'state.db')))
  const errors: unknown[] = []
  const snapshots = undo.use(
    await openSnapshotter({
      ...{ root: join(root, 'snapshots'), database, executable, onError: (e: unknown) => errors.push(e) },
      ...(options.bootId !== undefined && { bootId: options.bootId }),
    }),
  )
  const events: Omit<EngineEvent, 'time'>[] = []
  const users = new Map<string, { id: string; running: boolean }[]>()
  const usersPort: ImageUsers = {
    of: (id) => users.get(id) ?? [],
    counts: () => new Map([...users].map(([id, all]) => [id, all.length])),
  }
  const service = undo.use(
    await openImages({
      contentRoot: join(root, 'content'),
      ...(options.disk && { disk: options.disk }),
      quarantine: join(root, 'quarantine'),
      database,
      snapshots,
      unpackExecutable: executable,
      users: usersPort,
      events: { publish: (event) => void events.push(event) },
      transfers: new TransferSettings({
        registries: parseRegistryConfig(options.registries ?? {}),
        maxConcurrentDownloads: 3,
        maxConcurrentUploads: options.maxConcurrentUploads ?? 5,
        maxDownloadAttempts: 5,
      }),
      log: silentLogger,
      ...(options.pushCompression && { pushCompression: options.pushCompression }),
      transportLimits: {
        attempts: options.attempts ?? 3,
        ...(options.pieceBytes !== undefined && { uploadPieceBytes: options.pieceBytes }),
        backoffMs: 5,
        headersTimeoutMs: options.isPatient ? 60_000 : 2000,
        stallTimeoutMs: options.isPatient ? 60_000 : 1000,
        documentTimeoutMs: options.isPatient ? 60_000 : 3000,
      },
    }),
  )
  const resources = undo.move()
  return {
    service,
    snapshots,
    database,
    events,
    users,
    parse: parseReference,
    noFilters: new Filters(),
    async pull(reference, { signal = new AbortController().signal, onProgress, ...rest } = {}) {
      const request = { reference: parseReference(reference), allTags: false, platform: undefined, auth: undefined }
      const progress: PullProgress[] = []
      for await (const one of await service.pull({ ...request, ...rest }, signal)) {
        progress.push(one)
        onProgress?.(one)
      }
      return progress
    },
    async push(reference, { signal = new AbortController().signal, onProgress, ...rest } = {}) {
      const request = { reference: withDefaultTag(parseReference(reference)), platform: undefined, auth: undefined }
      const lines: string[] = []
      for await (const one of service.push({ ...request, ...rest }, signal)) {
        if (!('pushed' in one)) lines.push(one.status)
        onProgress?.(one)
      }
      return lines
    },
    async footprint() {
      return {
        blobs: (await readdir(join(root, 'content/blobs/sha256'))).length,
        ingests: (await readdir(join(root, 'content/ingest'))).length,
        snapshots: snapshots.list().length,
        directories: (await readdir(join(root, 'snapshots'))).length,
      }
    },
    async contents() {
      const names = await readdir(join(root, 'content/blobs/sha256'))
      return { blobs: names.map((name) => `sha256:${name}`), snapshots: snapshots.list().map(({ key }) => key) }
    },
    async readFile(image, path) {
      const { chainId = '' } = service.get(image)
      const view = await snapshots.view(`test-${chainId}`, chainId)
      try {
        const layers = view.kind === 'directory' ? [view.path] : view.lower
        for (const layer of layers) {
          const text = await readFile(join(layer, path), 'utf8').catch(() => undefined)
          if (text !== undefined) return text
        }
        throw new Error(`no ${path} in ${image}`)
      } finally {
        await snapshots.remove(`test-${chainId}`)
      }
    },
    async [Symbol.asyncDispose]() {
      await resources.disposeAsync()
      if (errors.length > 0) throw new AggregateError(errors, 'snapshots failed in the background')
    },
  }
}
