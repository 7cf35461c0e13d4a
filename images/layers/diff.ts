import { type Digest, parseDigest } from '#base/digest.ts'
import { internal } from '#base/errors.ts'
import { JsonReader } from '#oci/json.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'
import { type PackedTrees, startPack } from './pack-process.ts'

export interface DiffPorts {
  /** Path of the berth-unpack executable. */
  readonly executable: string
  readonly snapshots: Pick<Snapshotter, 'driver' | 'directories' | 'find'>
}

export interface PackRequest {
  /** Key or name of a snapshot. The caller holds it against removal. */
  readonly snapshot: string
  /** Leaves out the empty files that stand in a container's own layer for what is mounted there. */
  readonly withoutMountPoints: boolean
  /** Takes the uncompressed archive; stays the caller's. */
  readonly fd: number
}

export interface PackedLayer {
  readonly diffId: Digest
  /** Bytes of the archive. */
  readonly size: number
  readonly entries: number
}

/** A path that differs from the layers below, as Docker tells it: C, A and D. */
export interface Change {
  readonly kind: 'modified' | 'added' | 'deleted'
  /** Absolute, in the container. */
  readonly path: string
}

/** Writes what a snapshot adds to its parent as the archive of a layer. The same files give the same bytes.
 *  @throws `invalid` naming a file that no layer can hold, `no-space`, `cancelled`, `not-found` */
export async function packLayer(ports: DiffPorts, request: PackRequest, signal?: AbortSignal): Promise<PackedLayer> {
  const { snapshot, fd, withoutMountPoints } = request
  const trees = treesOf(ports, snapshot)
  const options = withoutMountPoints ? ['--without-mount-points'] : []
  const running = await startPack(ports.executable, { job: '--pack', trees, options, fd }, signal)
  const answer = JsonReader.parse(await running.answer, 'the answer of berth-unpack')
  return {
    diffId: parseDigest(answer.field('diffId').string()),
    size: answer.field('size').size(),
    entries: answer.field('entries').size(),
  }
}

/** The whole tree of a snapshot as an archive. Ending the iteration early ends the work.   @throws as `packLayer` does */
export async function* exportTree(ports: DiffPorts, snapshot: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const options = ['--limit-bytes', `${Number.MAX_SAFE_INTEGER}`]
  const { areOverlay, directories } = treesOf(ports, snapshot)
  const trees = { areOverlay, directories: areOverlay ? directories : directories.slice(0, 1) }
  const running = await startPack(ports.executable, { job: '--export', trees, options }, signal)
  try {
    let size = 0
    for await (const chunk of running.archive ?? []) {
      size += chunk.length
      yield chunk
    }
    const answer = JsonReader.parse(await running.answer, 'the answer of berth-unpack')
    if (answer.field('size').size() !== size)
      throw internal(`the archive of ${snapshot} was cut off after ${size} bytes`)
  } finally {
    await running.stop()
  }
}

/** What a container's snapshot changes, sorted by path.   @throws as `packLayer` does */
export async function listChanges(ports: DiffPorts, snapshot: string, signal?: AbortSignal): Promise<Change[]> {
  const options = ['--without-mount-points']
  const running = await startPack(
    ports.executable,
    { job: '--changes', trees: treesOf(ports, snapshot), options },
    signal,
  )
  const records = (await running.answer).split('\0')
  return records.filter((record) => record !== '').map(toChange)
}

const kinds: Readonly<Record<string, Change['kind']>> = { C: 'modified', A: 'added', D: 'deleted' }

function toChange(record: string): Change {
  const kind = kinds[record.charAt(0)]
  if (!kind) throw internal(`berth-unpack answered a bad change: ${record.slice(0, 200)}`)
  return { kind, path: record.slice(1) }
}

function treesOf({ snapshots }: DiffPorts, snapshot: string): PackedTrees {
  const directories = snapshots.directories(snapshot)
  if (snapshots.driver === 'vfs') return { areOverlay: false, directories: directories.slice(0, 2) }
  // The lowest one was written as a whole: it notes nothing as deleted.
  return { areOverlay: directories.length > 1, directories }
}
