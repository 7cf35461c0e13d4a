import { randomUUID } from 'node:crypto'
import type { Digest } from '#base/digest.ts'
import { alreadyExists, dataLoss, isKind } from '#base/errors.ts'
import type { Snapshotter, SnapshotUsage } from '../snapshots/snapshotter.ts'
import { chainIdOf } from './chain-id.ts'
import { defaultLimits, type LayerSource, runUnpack, type UnpackLimits } from './unpack-process.ts'
import type { UnpackResult } from './unpack-result.ts'

export type { LayerSource, UnpackLimits } from './unpack-process.ts'

export interface LayerUnpackPorts {
  /** Path of the berth-unpack executable. */
  readonly executable: string
  readonly snapshots: Snapshotter
}

export interface LayerUnpackRequest {
  /** The compressed (or plain) layer. A stream may still be arriving; it is read to its end or destroyed. */
  readonly source: LayerSource
  /** The digest of the uncompressed layer, from the image's config. */
  readonly diffId: Digest
  /** The chainId of the layer below, which must be unpacked already; undefined for the lowest. */
  readonly parentChainId: Digest | undefined
  readonly limits?: Partial<UnpackLimits>
  /** Waited for before the layer counts as unpacked: its blob may not be verified yet. */
  readonly verified?: Promise<void>
}

export interface UnpackedLayer {
  /** The name of the committed snapshot. */
  readonly chainId: Digest
  readonly diffId: Digest
  /** Bytes and inodes on disk. */
  readonly usage: SnapshotUsage
  /** Bytes of the uncompressed layer: what Docker calls its size. */
  readonly size: number
  readonly entries: number
}

/**
 * Unpacks one layer into a committed snapshot named by its chainId, in a confined child; the layer is usable when this resolves.
 * Nothing stays behind when it fails or is aborted. Ask `snapshots.find(chainIdOf(parent, diffId))` first: an existing one is `already-exists`.
 * When two callers unpack the same layer at once, both succeed and one copy is kept.
 *
 * @throws `invalid` for a layer that is no proper archive or breaks a limit (the entry is named), `data-loss` when its bytes are not those of
 * the diffId, `no-space`, `not-found` for a missing parent, `cancelled`.
 */
export async function unpackLayer(
  ports: LayerUnpackPorts,
  request: LayerUnpackRequest,
  signal?: AbortSignal,
): Promise<UnpackedLayer> {
  const { snapshots } = ports
  const { diffId, parentChainId } = request
  const chainId = chainIdOf(parentChainId, diffId)
  if (snapshots.find(chainId)) throw alreadyExists(`layer ${chainId} is already unpacked`)
  const { key, ...result } = await unpackIntoActive(ports, request, signal)
  try {
    await commitUnlessThere(snapshots, key, chainId, result.usage)
    return { chainId, diffId, usage: result.usage, size: result.size, entries: result.entries }
  } catch (error) {
    await snapshots.discard(key)
    throw error
  }
}

/** As `unpackLayer`, into a snapshot that is the caller's to commit or remove. */
export async function unpackIntoActive(
  { executable, snapshots }: LayerUnpackPorts,
  { source, diffId, parentChainId, limits, verified }: LayerUnpackRequest,
  signal?: AbortSignal,
): Promise<UnpackResult & { readonly key: string }> {
  const key = `unpack-${randomUUID()}`
  const mounts = await snapshots.prepare(key, parentChainId, { signal })
  try {
    const recordFile = snapshots.recordFile(key)
    const run = { source, mounts, recordFile, limits: { ...defaultLimits, ...limits } }
    const result = await runUnpack(executable, run, signal)
    if (result.diffId !== diffId)
      throw dataLoss(`layer ${diffId} contains other bytes: their digest is ${result.diffId}`, {
        code: 'layer-diff-id',
      })
    await verified
    return { ...result, key }
  } catch (error) {
    await snapshots.discard(key)
    throw error
  }
}

async function commitUnlessThere(
  snapshots: Snapshotter,
  key: string,
  name: string,
  usage: SnapshotUsage,
): Promise<void> {
  try {
    await snapshots.commit(key, name, usage)
  } catch (error) {
    // Somebody else was faster: the same files are there, which is what was asked for.
    if (!isKind(error, 'already-exists')) throw error
    await snapshots.discard(key)
  }
}
