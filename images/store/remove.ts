import type { Digest } from '#base/digest.ts'
import { type BerthError, conflict } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import { familiarReference, parseReference } from '#oci/reference.ts'
import { collectUnlisted, type GarbagePorts } from './garbage.ts'
import { contentOf, type StoredReference } from './image-store.ts'
import { findImage, nameOf, noSuchImage } from './lookup.ts'
import type { EventSink, ImageUsers } from './ports.ts'
import { labelsOf } from './read-image.ts'
import { dropUnnamedTwins } from './references.ts'

export interface RemovePorts extends GarbagePorts {
  readonly users: ImageUsers
  readonly events: EventSink
}

export interface Removal {
  readonly untagged?: string
  readonly deleted?: string
}

/** What is left to do when the rows are changed: files, outside of the transaction. */
interface RowRemoval {
  readonly records: Removal[]
  /** Keys of blobs and snapshots that may be free now. */
  readonly keys: readonly string[]
}

export interface RemoveOptions {
  readonly force: boolean
  /** Keeps parents that have no name. */
  readonly noPrune: boolean
}

/** Untags, and deletes with the last reference, by Docker's rules.   @throws `not-found`, `conflict` with Docker's texts */
export async function removeImage(ports: RemovePorts, name: string, options: RemoveOptions): Promise<Removal[]> {
  const { records, keys } = ports.database.transaction(() => removeRows(ports, name, options))
  if (keys.length === 0) return records
  const snapshots = await collectUnlisted(ports, keys)
  return [...records, ...snapshots.map((deleted) => ({ deleted }))]
}

function removeRows(ports: RemovePorts, name: string, options: RemoveOptions): RowRemoval {
  const { store } = ports
  const { id, root } = findImage(store, name)
  const references = store.referencesOf(id)
  // A name that is also the beginning of the id is taken for the id, as Docker does.
  if (root === undefined || isIdPrefix(id, name)) {
    const records: Removal[] = []
    if (isSingle(references)) {
      check(ports, id, { isForced: options.force, references: [] })
      records.push(...references.map((reference) => untag(ports, reference)))
    }
    return deleteRows(ports, id, { ...options, quiet: false, records })
  }
  return removeByReference(ports, { ...options, name, id, references })
}

function removeByReference(
  ports: RemovePorts,
  removal: RemoveOptions & { name: string; id: Digest; references: readonly StoredReference[] },
): RowRemoval {
  const { store, users } = ports
  const { name, id, force, references } = removal
  const user = users.of(id)[0]
  if (!force && isSingle(references) && user) {
    throw conflict(
      `conflict: unable to remove repository reference "${name}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(id)}`,
    )
  }
  const key = nameOf(parseReference(name))
  const named = references.find((one) => one.name === key)
  if (!named) throw noSuchImage(name)
  const records = [untag(ports, named)]
  const repository = repositoryOf(named.name)
  const left = references.filter((one) => one !== named)
  const others = left.filter((one) => repositoryOf(one.name) === repository)
  if (named.kind === 'tag' && others.every(({ kind }) => kind === 'digest')) {
    // The digests came with the tag; nobody would know how to remove them. They go without an event, as Docker's do.
    records.push(...others.map((one) => removeReference(ports, one)))
  }
  if (store.referencesOf(id).length > 0) {
    return { records, keys: dropUnnamedTwins(store, id) }
  }
  return deleteRows(ports, id, { ...removal, quiet: true, records })
}

/** Deletes an image, and then those it was made of that have no name and no other use.
 *  @param quiet a conflict leaves the image rather than throwing */
function deleteRows(
  ports: RemovePorts,
  id: Digest,
  { force, noPrune, quiet, records }: RemoveOptions & { quiet: boolean; records: Removal[] },
): RowRemoval {
  const references = ports.store.referencesOf(id)
  const reason = findConflict(ports, id, { isForced: force, references })
  if (reason && quiet) return { records, keys: [] }
  if (reason) throw reason
  for (const reference of references) records.push(untag(ports, reference))
  const deleted = deleteRow(ports, id, records)
  const keys = [deleted.keys]
  for (let { parent } = deleted; parent !== undefined && !noPrune; ) {
    const unneeded = ports.store.withId(parent).length > 0 && !findConflict(ports, parent, unforced(ports, parent))
    const pruned = unneeded ? deleteRow(ports, parent, records) : undefined
    if (pruned) keys.unshift(pruned.keys)
    parent = pruned?.parent
  }
  return { records, keys: [...new Set(keys.flat())] }
}

function unforced({ store }: RemovePorts, id: Digest) {
  return { isForced: false, references: store.referencesOf(id) }
}

function deleteRow(
  { store, events }: RemovePorts,
  id: Digest,
  records: Removal[],
): { keys: readonly Digest[]; parent: Digest | undefined } {
  const rows = store.withId(id)
  for (const { root } of rows) store.remove({ root: root.digest, id })
  events.publish({ type: 'image', action: 'delete', actor: { id, attributes: { name: id } } })
  records.push({ deleted: id })
  return { keys: rows.flatMap(contentOf), parent: rows.find(({ parent }) => parent !== undefined)?.parent }
}

/** @throws `conflict` */
function check(ports: RemovePorts, id: Digest, options: Parameters<typeof findConflict>[2]): void {
  const reason = findConflict(ports, id, options)
  if (reason) throw reason
}

/** Why the image cannot be deleted, or only by force, in Docker's words. */
function findConflict(
  { store, users }: RemovePorts,
  id: Digest,
  { isForced, references }: { isForced: boolean; references: readonly StoredReference[] },
): BerthError | undefined {
  const unable = (how: string, why: string) => conflict(`conflict: unable to delete ${shortId(id)} (${how}) - ${why}`)
  if (store.childrenOf(id).length > 0) return unable('cannot be forced', 'image has dependent child images')
  const all = users.of(id)
  const running = all.find((user) => user.running)
  if (running) {
    return unable('cannot be forced', `image is being used by running container ${shortId(running.id)}`)
  }
  if (isForced) return undefined
  if (references.length > 0) return unable('must be forced', 'image is referenced in multiple repositories')
  const stopped = all[0]
  return stopped && unable('must be forced', `image is being used by stopped container ${shortId(stopped.id)}`)
}

function untag(ports: RemovePorts, reference: StoredReference): Removal {
  const { id } = reference.key
  const [image] = ports.store.withId(id)
  const removal = removeReference(ports, reference)
  const attributes = { ...(image && labelsOf(image)), name: id }
  ports.events.publish({ type: 'image', action: 'untag', actor: { id, attributes } })
  return removal
}

function removeReference({ store }: RemovePorts, { name }: StoredReference): Removal {
  store.removeReference(name)
  return { untagged: familiarReference(parseReference(name)) }
}

/** At most one tag, and all within one repository. */
function isSingle(references: readonly StoredReference[]): boolean {
  const tags = references.filter(({ kind }) => kind === 'tag')
  return tags.length <= 1 && new Set(references.map(({ name }) => repositoryOf(name))).size === 1
}

function repositoryOf(name: string): string {
  const { domain, path } = parseReference(name)
  return `${domain}/${path}`
}

function isIdPrefix(id: Digest, name: string): boolean {
  return id.startsWith(name) || id.slice('sha256:'.length).startsWith(name)
}
