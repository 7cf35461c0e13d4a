import type { StatementSync } from 'node:sqlite'
import { type Digest, isDigest } from '#base/digest.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { Database } from '#state/database.ts'

export interface StoredLayer {
  readonly descriptor: Descriptor
  /** Name of its committed snapshot. */
  readonly chainId: Digest
  /** Unpacked bytes. */
  readonly sizeBytes: number
  /** A blob of the same layer in another compression, which is kept because the own one was not fetched. */
  readonly standIn?: Descriptor
}

/** A row: the root descriptor together with the config that was chosen from it. */
export interface StoredImage {
  readonly root: Descriptor
  /** The config digest. */
  readonly id: Digest
  readonly manifest: Descriptor
  /** Where blobs stand in for layers: the manifest that names these, so that the content store is a layout that others can read. */
  readonly standIn?: Descriptor
  /** The image whose container was committed to make it. */
  readonly parent?: Digest
  /** The config as it was received. */
  readonly config: string
  /** The lowest first. */
  readonly layers: readonly StoredLayer[]
  /** In ms since 1970. */
  readonly addedAt: number
}

export type ImageKey = Pick<StoredImage, 'id'> & { readonly root: Digest }

export interface StoredReference {
  /** Normalised: `docker.io/library/busybox:latest`. */
  readonly name: string
  readonly kind: 'tag' | 'digest'
  readonly key: ImageKey
  /** In ms since 1970. */
  readonly setAt: number
}

type Row = Record<string, unknown>

/** Rows of images and references. Callers bracket what belongs together in a transaction. */
export class ImageStore {
  readonly #onChange: () => void
  readonly #add: StatementSync
  readonly #addContent: StatementSync
  readonly #remove: StatementSync
  readonly #all: StatementSync
  readonly #byId: StatementSync
  readonly #byPrefix: StatementSync
  readonly #allReferences: StatementSync
  readonly #referencesOf: StatementSync
  readonly #reference: StatementSync
  readonly #setReference: StatementSync
  readonly #removeReference: StatementSync
  readonly #usesContent: StatementSync
  readonly #childrenOf: StatementSync
  readonly #setParent: StatementSync

  /** @param onChange called within the transaction of a change */
  constructor(database: Pick<Database, 'prepare'>, onChange: () => void = () => undefined) {
    this.#onChange = onChange
    this.#add = database.prepare(
      `INSERT INTO images (root, id, root_type, root_size, manifest, config, layers, added_at, stand_in, parent)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET manifest = excluded.manifest, layers = excluded.layers, stand_in = excluded.stand_in`,
    )
    this.#addContent = database.prepare('INSERT OR IGNORE INTO image_content (digest, root, id) VALUES (?, ?, ?)')
    this.#remove = database.prepare('DELETE FROM images WHERE root = ? AND id = ?')
    this.#all = database.prepare('SELECT * FROM images')
    this.#byId = database.prepare('SELECT * FROM images WHERE id = ?')
    this.#byPrefix = database.prepare(
      "SELECT DISTINCT id FROM images WHERE id GLOB ? || '*' OR root GLOB ? || '*' LIMIT 2",
    )
    this.#allReferences = database.prepare('SELECT * FROM image_references ORDER BY name')
    this.#referencesOf = database.prepare('SELECT * FROM image_references WHERE id = ? ORDER BY name')
    this.#reference = database.prepare('SELECT * FROM image_references WHERE name = ?')
    this.#setReference = database.prepare(
      `INSERT INTO image_references (name, kind, root, id, set_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET root = excluded.root, id = excluded.id, set_at = excluded.set_at`,
    )
    this.#removeReference = database.prepare('DELETE FROM image_references WHERE name = ?')
    this.#usesContent = database.prepare('SELECT 1 FROM image_content WHERE digest = ? LIMIT 1')
    this.#childrenOf = database.prepare('SELECT DISTINCT id FROM images WHERE parent = ?')
    this.#setParent = database.prepare('UPDATE images SET parent = ? WHERE id = ?')
  }

  /** Adds the image, or brings the one that is there up to date. */
  add(image: StoredImage): void {
    this.#onChange()
    const { root, id, manifest, standIn, parent, config, layers, addedAt } = image
    const own = [JSON.stringify(manifest), config, JSON.stringify(layers), addedAt] as const
    const more = [standIn ? JSON.stringify(standIn) : null, parent ?? null] as const
    this.#add.run(root.digest, id, root.mediaType, root.size, ...own, ...more)
    for (const digest of contentOf(image)) this.#addContent.run(digest, root.digest, id)
  }

  /** Of every row with this config. */
  setParent(id: Digest, parent: Digest): void {
    this.#onChange()
    this.#setParent.run(parent, id)
  }

  /** Its references must be gone. */
  remove({ root, id }: ImageKey): void {
    this.#onChange()
    this.#remove.run(root, id)
  }

  list(): readonly StoredImage[] {
    return this.#all.all().map(toImage)
  }

  /** Every row with this config. */
  withId(id: Digest): readonly StoredImage[] {
    return this.#byId.all(id).map(toImage)
  }

  /** Up to two ids whose own or whose root's digest begins with `sha256:<hex>`: two mean that it is ambiguous. */
  idsWithPrefix(prefix: string): readonly Digest[] {
    return this.#byPrefix.all(prefix, prefix).map(({ id }) => id as Digest)
  }

  references(): readonly StoredReference[] {
    return this.#allReferences.all().map(toReference)
  }

  referencesOf(id: Digest): readonly StoredReference[] {
    return this.#referencesOf.all(id).map(toReference)
  }

  findReference(name: string): StoredReference | undefined {
    const row = this.#reference.get(name)
    return row && toReference(row)
  }

  /** Points the name at the image, which must be there. */
  setReference({ name, kind, key, setAt }: StoredReference): void {
    this.#onChange()
    this.#setReference.run(name, kind, key.root, key.id, setAt)
  }

  removeReference(name: string): void {
    this.#onChange()
    this.#removeReference.run(name)
  }

  /** Whether an image needs this blob or snapshot. */
  uses(digest: string): boolean {
    return this.#usesContent.get(digest) !== undefined
  }

  /** Images made of this one by a commit. */
  childrenOf(id: Digest): readonly Digest[] {
    return this.#childrenOf.all(id).map((row) => digest(row.id))
  }
}

/** Digests of all blobs of an image, and the names of its snapshots. */
export function contentOf({ root, id, manifest, standIn, layers }: StoredImage): readonly Digest[] {
  const ofLayers = layers.flatMap((layer) => [layer.descriptor.digest, layer.standIn?.digest, layer.chainId])
  const all = [root.digest, manifest.digest, standIn?.digest, id, ...ofLayers]
  return [...new Set(all.filter((digest) => digest !== undefined))]
}

function toImage(row: Row): StoredImage {
  return {
    root: { mediaType: String(row.root_type), digest: digest(row.root), size: Number(row.root_size) },
    id: digest(row.id),
    manifest: JSON.parse(String(row.manifest)) as Descriptor,
    ...(row.stand_in !== null && { standIn: JSON.parse(String(row.stand_in)) as Descriptor }),
    ...(row.parent !== null && { parent: digest(row.parent) }),
    config: String(row.config),
    layers: JSON.parse(String(row.layers)) as StoredLayer[],
    addedAt: Number(row.added_at),
  }
}

function toReference(row: Row): StoredReference {
  return {
    name: String(row.name),
    kind: row.kind === 'tag' ? 'tag' : 'digest',
    key: { root: digest(row.root), id: digest(row.id) },
    setAt: Number(row.set_at),
  }
}

function digest(value: unknown): Digest {
  const text = String(value)
  if (!isDigest(text)) throw new TypeError(`the database holds '${text}' where a digest belongs`)
  return text
}
