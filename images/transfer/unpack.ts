import { readFile } from 'node:fs/promises'
import type { Digest } from '#base/digest.ts'
import { isKind } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { ContentStore } from '../content/content-store.ts'
import { chainIdOf } from '../layers/chain-id.ts'
import { type LayerUnpackPorts, unpackLayer } from '../layers/unpack.ts'
import type { LayerProgress } from './download-layer.ts'
import type { SharedTasks } from './shared-tasks.ts'

export interface UnpackPorts extends LayerUnpackPorts {
  readonly content: ContentStore
  readonly tasks: SharedTasks<LayerProgress>
}

export interface StoredLayerUnpack {
  /** A blob of the store, now or soon. */
  readonly descriptor: Descriptor
  readonly diffId: Digest
  readonly parentChainId: Digest | undefined
  /** When the blob may still be on its way: resolves when it is in the store. */
  readonly downloaded?: Promise<void>
  readonly report: (progress: LayerProgress) => void
  readonly signal: AbortSignal
}

const progressEveryMs = 100

/** Makes the layer's snapshot from its blob, together with others that want the same one; one that is there already is success.
 *  @throws as `unpackLayer` does */
export async function unpackStoredLayer(ports: UnpackPorts, unpack: StoredLayerUnpack): Promise<void> {
  const { tasks, snapshots } = ports
  const { descriptor, diffId, parentChainId, report, signal } = unpack
  const chainId = chainIdOf(parentChainId, diffId)
  if (snapshots.find(chainId)?.kind === 'committed') return
  await tasks.run(`snapshot ${chainId}`, {
    signal,
    onProgress: report,
    async start(tell, taskSignal) {
      const total = descriptor.size
      const position = (current: number) => tell({ status: 'Extracting', detail: { current, total } })
      if (!(await unpackArriving(ports, unpack, { position, signal: taskSignal }))) {
        await unpack.downloaded
        await unpackWhole(ports, unpack, { position, signal: taskSignal })
      }
      position(total)
    },
  })
}

interface UnpackTurn {
  /** Told how many bytes of the blob were used. */
  readonly position: (bytes: number) => void
  readonly signal: AbortSignal
}

/** Less is here before a child is started. */
const worthFollowingBytes = 2 << 20

/** Unpacks what arrives while it arrives. False when it is not arriving or something went wrong: its blob then tells what, or is unpacked. */
async function unpackArriving(
  ports: UnpackPorts,
  { descriptor, diffId, parentChainId, downloaded }: StoredLayerUnpack,
  { position, signal }: UnpackTurn,
): Promise<boolean> {
  const growing = ports.content.growing(descriptor.digest)
  if (!growing || !downloaded || descriptor.size < worthFollowingBytes) return false
  let isHere = false
  const verified = downloaded.then(() => {
    isHere = true
  })
  verified.catch(() => undefined)
  try {
    await using file = await growing.open()
    // A layer that is downloading is shown as that.
    using _watch = watchPosition(file.fd, (bytes) => isHere && position(bytes))
    const source = { fd: file.fd, growth: growing }
    await unpackLayer(ports, { source, diffId, parentChainId, verified }, signal)
    return true
  } catch (error) {
    if (signal.aborted) throw error
    return false
  }
}

async function unpackWhole(
  ports: UnpackPorts,
  { descriptor, diffId, parentChainId }: StoredLayerUnpack,
  { position, signal }: UnpackTurn,
): Promise<void> {
  await using file = await ports.content.open(descriptor.digest)
  using _watch = watchPosition(file.fd, position)
  try {
    await unpackLayer(ports, { source: { fd: file.fd }, diffId, parentChainId }, signal)
  } catch (error) {
    // It was finished between our look and our turn.
    if (!isKind(error, 'already-exists')) throw error
  }
}

/** The child reads through the descriptor that we share with it, so that its offset tells how far it is. */
function watchPosition(fd: number, report: (bytes: number) => void): Disposable {
  let ended = false
  let reading = false
  const timer = setInterval(async () => {
    if (reading) return
    reading = true
    const position = await positionOf(fd)
    reading = false
    if (!ended && position !== undefined) report(position)
  }, progressEveryMs)
  return {
    [Symbol.dispose]() {
      ended = true
      clearInterval(timer)
    },
  }
}

async function positionOf(fd: number): Promise<number | undefined> {
  try {
    const text = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')
    const position = /^pos:\s*(\d+)$/m.exec(text)?.[1]
    return position === undefined ? undefined : Number(position)
  } catch {
    // Only a display depends on it.
    return undefined
  }
}
