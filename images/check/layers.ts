import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, encodedOf, isDigest } from '#base/digest.ts'
import { dataLoss, isKind, messageOf } from '#base/errors.ts'
import { isFullId } from '#base/ids.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import { unpackLayerAnew } from '../layers/unpack-anew.ts'
import type { SnapshotInfo } from '../snapshots/snapshotter.ts'
import type { CheckEvent, Finding } from './check-event.ts'
import type { CheckPorts, CheckRun } from './check-ports.ts'
import { damage, type Outcome, unneeded } from './finding.ts'
import { unlistImages } from './quarantine.ts'
import { refetch } from './refetch.ts'
import { usersOf } from './users-of.ts'

/** Compares every layer with its record, parents first, and looks for those that images and containers need and that are not there.
 *  @param counted told of each layer that is not recorded yet */
export async function* checkLayers(ports: CheckPorts, run: CheckRun, counted: () => void): AsyncGenerator<CheckEvent> {
  const snapshots = ports.snapshots.list()
  for (const [done, snapshot] of snapshots.entries()) {
    run.signal.throwIfAborted()
    yield { progress: { what: 'layers', done, total: snapshots.length } }
    const finding =
      snapshot.kind === 'committed'
        ? await checkLayer(ports, snapshot, run, counted)
        : await checkContainerLayer(ports, snapshot, run)
    if (finding) yield { finding }
  }
  const needed = ports.store.list().flatMap(({ layers }) => layers.map(({ chainId }) => chainId))
  for (const chainId of new Set(needed)) {
    if (ports.snapshots.find(chainId) || !ports.store.uses(chainId)) continue
    const what = { object: 'layer', name: chainId, problem: 'missing', details: [] } as const
    yield { finding: await damage(ports, what, run, () => repairLayer(ports, chainId, run.signal)) }
  }
}

async function checkLayer(
  ports: CheckPorts,
  { key, id }: SnapshotInfo,
  run: CheckRun,
  counted: () => void,
): Promise<Finding | undefined> {
  const { store, leases, snapshots } = ports
  const isParent = () => snapshots.list().some(({ parent }) => parent === key)
  if (!store.uses(key) && !leases.has(key) && !isParent()) {
    return await unneeded(ports, { object: 'layer', name: key }, run)
  }
  const verification = await verifyUnlessGone(ports, key, run.signal)
  if (verification?.state === 'unrecorded') counted()
  if (verification?.state !== 'damaged' && verification?.state !== 'missing') return undefined
  if (snapshots.find(key)?.id !== id) return undefined
  const details =
    verification.state === 'missing'
      ? []
      : [...verification.differences, ...more(verification.count - verification.differences.length)]
  const what = { object: 'layer', name: key, problem: verification.state, details } as const
  return await damage(ports, what, run, () => repairLayer(ports, key, run.signal))
}

const more = (count: number) => (count > 0 ? [`${count} more`] : [])

/** A container's own layer is the container's to change: it only has to be there. */
async function checkContainerLayer(
  ports: CheckPorts,
  { key, kind }: SnapshotInfo,
  { signal }: CheckRun,
): Promise<Finding | undefined> {
  if (kind !== 'active' || !isFullId(key)) return undefined
  if ((await verifyUnlessGone(ports, key, signal))?.state !== 'missing') return undefined
  const failure = 'its files are lost; remove the container'
  return { object: 'container', name: key, problem: 'missing', details: [], images: [], containers: [key], failure }
}

async function verifyUnlessGone({ snapshots }: CheckPorts, key: string, signal: AbortSignal) {
  try {
    return await snapshots.verify(key, signal)
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined
    throw error
  }
}

/** What a layer is made of, as one image has it. */
interface LayerSource {
  readonly descriptor: Descriptor
  readonly diffId: Digest
  readonly parentChainId: Digest | undefined
}

async function repairLayer(ports: CheckPorts, chainId: string, signal: AbortSignal): Promise<Outcome> {
  const { rows, isRunning } = usersOf(ports, chainId)
  let failure = 'no image has it'
  for (const source of sourcesOf(rows, chainId)) {
    try {
      await unpackAnew(ports, chainId, { source, isRunning, signal })
      return { repair: 'unpacked' }
    } catch (error) {
      signal.throwIfAborted()
      failure = messageOf(error)
      const refused = await refetch(ports, rows, source.descriptor, signal)
      if (refused !== undefined) {
        failure = `${failure}; ${refused}`
        continue
      }
    }
    try {
      await unpackAnew(ports, chainId, { source, isRunning, signal })
      return { repair: 'unpacked' }
    } catch (error) {
      signal.throwIfAborted()
      failure = messageOf(error)
    }
  }
  if (rows.length === 0) return { failure }
  await unlistImages(ports, rows, `layer ${chainId} is damaged: ${failure}`)
  return { repair: 'unlisted', failure }
}

function sourcesOf(rows: ReturnType<typeof usersOf>['rows'], chainId: string): LayerSource[] {
  return rows.flatMap(({ id, config, layers }) => {
    const index = layers.findIndex((layer) => layer.chainId === chainId)
    const diffId = parseImageConfig(config, `image config ${id}`).diffIds[index]
    const layer = layers[index]
    if (!layer || !diffId) return []
    return [{ descriptor: layer.standIn ?? layer.descriptor, diffId, parentChainId: layers[index - 1]?.chainId }]
  })
}

/** What runs on the old files keeps them: they are moved, not removed. */
async function unpackAnew(
  ports: CheckPorts,
  chainId: string,
  { source, isRunning, signal }: { source: LayerSource; isRunning: boolean; signal: AbortSignal },
): Promise<void> {
  const { quarantine } = ports
  if (isRunning) await mkdir(quarantine, { recursive: true, mode: 0o700 })
  const aside = isRunning ? join(quarantine, `${nameOf(chainId)}-${randomUUID().slice(0, 8)}`) : undefined
  await unpackLayerAnew(ports, { ...source, ...(aside !== undefined && { aside }) }, signal)
}

function nameOf(chainId: string): string {
  if (!isDigest(chainId)) throw dataLoss(`snapshot ${chainId} is not named by a digest`)
  return encodedOf(chainId)
}
