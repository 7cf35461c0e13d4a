import { type Digest, digestOf } from '#base/digest.ts'
import { isKind, messageOf } from '#base/errors.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { digestFile } from '../layers/file-digest.ts'
import type { StoredImage } from '../store/image-store.ts'
import { commitBytes } from '../transfer/fetch-content.ts'
import { withStandIns } from '../transfer/rebuild-manifest.ts'
import type { CheckEvent, Finding } from './check-event.ts'
import type { CheckPorts, CheckRun } from './check-ports.ts'
import { damage, type Outcome, unneeded } from './finding.ts'
import { setBlobAside, unlistImages } from './quarantine.ts'
import { refetch } from './refetch.ts'
import { usersOf } from './users-of.ts'

/** Reads every blob, and looks for those that images need and that are not there. */
export async function* checkBlobs(ports: CheckPorts, run: CheckRun): AsyncGenerator<CheckEvent> {
  const digests = await ports.content.list()
  for (const [done, digest] of digests.entries()) {
    run.signal.throwIfAborted()
    yield { progress: { what: 'blobs', done, total: digests.length } }
    const finding = await checkBlob(ports, digest, run)
    if (finding) yield { finding }
  }
  const needed = ports.store
    .list()
    .flatMap(({ root, manifest, standIn, id }) => [
      ...[root.digest, manifest.digest, id],
      ...(standIn ? [standIn.digest] : []),
    ])
  for (const digest of new Set(needed)) {
    if (await ports.content.find(digest)) continue
    // Removed meanwhile.
    if (!ports.store.uses(digest)) continue
    const what = { object: 'blob', name: digest, problem: 'missing', details: [] } as const
    yield { finding: await damage(ports, what, run, () => repairBlob(ports, digest, run.signal)) }
  }
}

async function checkBlob(ports: CheckPorts, digest: Digest, run: CheckRun): Promise<Finding | undefined> {
  const { store, leases, content } = ports
  if (!store.uses(digest) && !leases.has(digest)) {
    return await unneeded(ports, { object: 'blob', name: digest }, run)
  }
  const found = await readDigest(ports, digest, run.signal)
  // Gone meanwhile, or whole.
  if (found === undefined || found === digest || !(await content.find(digest))) return undefined
  const details = [`its content has the digest ${found}`]
  const what = { object: 'blob', name: digest, problem: 'damaged', details } as const
  return await damage(ports, what, run, () => repairBlob(ports, digest, run.signal))
}

/** In a child of low priority.   @returns undefined for a blob that is gone, `unreadable` for one that the disk does not give */
async function readDigest(ports: CheckPorts, digest: Digest, signal: AbortSignal): Promise<string | undefined> {
  try {
    await using file = await ports.content.open(digest)
    const { digest: found } = await digestFile(ports.executable, { fd: file.fd, isInBackground: true }, signal)
    return found
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined
    if (isKind(error, 'internal')) return `unreadable (${messageOf(error)})`
    throw error
  }
}

async function repairBlob(ports: CheckPorts, digest: Digest, signal: AbortSignal): Promise<Outcome> {
  const { rows } = usersOf(ports, digest)
  const config = rows.find(({ id }) => id === digest)?.config
  if (config !== undefined && digestOf(config) === digest) {
    const bytes = Buffer.from(config)
    await commitBytes(ports.content, { mediaType: mediaTypes.ociConfig, digest, size: bytes.length }, bytes)
    return { repair: 'rewritten' }
  }
  if (await rewriteStandIn(ports, digest, rows)) return { repair: 'rewritten' }
  const descriptors = rows.flatMap(({ root, manifest, layers }) => [
    root,
    manifest,
    ...layers.flatMap(({ descriptor, standIn }) => (standIn ? [descriptor, standIn] : [descriptor])),
  ])
  const descriptor = descriptors.find((one) => one.digest === digest)
  const failure = descriptor ? await refetch(ports, rows, descriptor, signal) : 'nothing describes it'
  if (failure === undefined) return { repair: 'fetched' }
  const leading = rows.filter(({ root, manifest, id }) => [root.digest, manifest.digest, id].includes(digest))
  if (leading.length > 0) await unlistImages(ports, leading, `blob ${digest} is lost: ${failure}`)
  await setBlobAside(ports, digest)
  return { repair: leading.length > 0 ? 'unlisted' : 'set-aside', failure }
}

/** A manifest that was made here can be made again.   @returns whether it was */
async function rewriteStandIn({ content }: CheckPorts, digest: Digest, rows: readonly StoredImage[]): Promise<boolean> {
  const row = rows.find(({ standIn }) => standIn?.digest === digest)
  if (!row) return false
  try {
    const { descriptor, bytes } = await withStandIns(content, row)
    if (descriptor.digest !== digest) return false
    await commitBytes(content, descriptor, bytes)
    return true
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'invalid')) return false
    throw error
  }
}
