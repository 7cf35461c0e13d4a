import type { Descriptor } from '#oci/descriptor.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { BlobSource } from './blob-source.ts'
import { storeBlob } from './fetch-content.ts'
import type { PullProgress } from './progress.ts'
import { retryStatus, throttled } from './progress-feed.ts'
import type { SharedTasks } from './shared-tasks.ts'
import type { Slots } from './slots.ts'

/** Progress of one layer; the id is added by who knows it. */
export type LayerProgress = Omit<PullProgress, 'id'>

export interface DownloadPorts {
  readonly content: ContentStore
  readonly tasks: SharedTasks<LayerProgress>
  /** Downloads at a time, over all pulls. */
  readonly slots: Slots
}

export interface LayerDownload {
  readonly source: BlobSource
  readonly descriptor: Descriptor
  readonly report: (progress: LayerProgress) => void
  readonly signal: AbortSignal
}

/** Brings a layer's blob into the store, together with others that want the same one. */
export async function downloadLayer({ content, tasks, slots }: DownloadPorts, download: LayerDownload): Promise<void> {
  const { source, descriptor, report, signal } = download
  if (!(await content.find(descriptor.digest))) {
    await tasks.run(`blob ${descriptor.digest}`, {
      signal,
      onProgress: report,
      async start(tell, taskSignal) {
        // Somebody may have finished between our look and our turn.
        if (await content.find(descriptor.digest)) return
        using _slot = await slots.acquire(() => tell({ status: 'Waiting' }), taskSignal)
        await storeBlob(content, source, {
          descriptor,
          onProgress: throttled((current) =>
            tell({ status: 'Downloading', detail: { current, total: descriptor.size } }),
          ),
          onRetry: (inMs) => tell({ status: retryStatus(inMs) }),
          onFetched: () => tell({ status: 'Verifying Checksum' }),
          signal: taskSignal,
        })
      },
    })
  }
  report({ status: 'Download complete' })
}
