import type { Digest } from '#base/digest.ts'
import { conflict } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import { familiarReference, parseReference } from '#oci/reference.ts'
import type { Database } from '#state/database.ts'
import { collect, type GarbagePorts } from './garbage.ts'
import { contentOf, type StoredReference } from './image-store.ts'
import { findImage, nameOf, noSuchImage } from './lookup.ts'
import type { EventSink, ImageUsers } from './ports.ts'
import { labelsOf } from './read-image.ts'
import { dropUnnamedTwins } from './references.ts'

export interface RemovePorts extends GarbagePorts {
  readonly database: Database
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

/** Untags, and deletes with the last reference, by Docker's rules.   @throws `not-found`, `conflict` with Docker's texts */
export async function removeImage(ports: RemovePorts, name: string, force: boolean): Promise<Removal[]> {
  const { records, keys } = ports.database.transaction(() => removeRows(ports, name, force))
  if (keys.length === 0) return records
  // Unlinking cannot be taken back: the rows must be gone for good before the files are.
  await ports.database.sync()
  const snapshots = await collect(ports, keys)
  return [...records, ...snapshots.map((deleted) => ({ deleted }))]
}

function removeRows(ports: RemovePorts, name: string, force: boolean): RowRemoval {
  const { store } = ports
  const { id, root } = findImage(store, name)
  const references = store.referencesOf(id)
  // A name that is also the beginning of the id is taken for the id, as Docker does.
  if (root === undefined || isIdPrefix(id, name)) {
    const records: Removal[] = []
    if (isSingle(references)) {
      check(ports, id, { isForced: force, references: [] })
      records.push(...references.map((reference) => untag(ports, reference)))
    }
    return deleteRows(ports, id, { force, quiet: false, records })
  }
  return removeByReference(ports, { name, id, force, references })
}

function removeByReference(
  ports: RemovePorts,
  { name, id, force, references }: { name: string; id: Digest; force: boolean; references: readonly StoredReference[] },
): RowRemoval {
  const { store, users } = ports
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
    // The digests came with the tag; nobody would know how to remove them.
    records.push(...others.map((one) => untag(ports, one)))
  }
  if (store.referencesOf(id).length > 0) {
    return { records, keys: dropUnnamedTwins(store, id) }
  }
  return deleteRows(ports, id, { force, quiet: true, records })
}

function deleteRows(
  ports: RemovePorts,
  id: Digest,
  { force, quiet, records }: { force: boolean; quiet: boolean; records: Removal[] },
): RowRemoval {
  const { store, users, events } = ports
  const references = store.referencesOf(id)
  // The name is gone, as was asked; that a container keeps the image is no failure then.
  if (quiet && users.of(id).some(({ running }) => running || !force)) return { records, keys: [] }
  check(ports, id, { isForced: force, references })
  for (const reference of references) records.push(untag(ports, reference))
  const rows = store.withId(id)
  for (const { root } of rows) store.remove({ root: root.digest, id })
  events.publish({ type: 'image', action: 'delete', actor: { id, attributes: { name: id } } })
  records.push({ deleted: id })
  return { records, keys: [...new Set(rows.flatMap(contentOf))] }
}

/** Refuses what cannot be done, or only by force.   @throws `conflict` */
function check(
  { users }: RemovePorts,
  id: Digest,
  { isForced, references }: { isForced: boolean; references: readonly StoredReference[] },
): void {
  const unable = (how: string, why: string) => conflict(`conflict: unable to delete ${shortId(id)} (${how}) - ${why}`)
  const all = users.of(id)
  const running = all.find((user) => user.running)
  if (running) {
    throw unable('cannot be forced', `image is being used by running container ${shortId(running.id)}`)
  }
  if (isForced) return
  if (references.length > 0) throw unable('must be forced', 'image is referenced in multiple repositories')
  const stopped = all[0]
  if (stopped) throw unable('must be forced', `image is being used by stopped container ${shortId(stopped.id)}`)
}

function untag({ store, events }: RemovePorts, { name, key }: StoredReference): Removal {
  const [image] = store.withId(key.id)
  store.removeReference(name)
  const attributes = { ...(image && labelsOf(image)), name: key.id }
  events.publish({ type: 'image', action: 'untag', actor: { id: key.id, attributes } })
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
