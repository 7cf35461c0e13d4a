import type { Digest } from '#base/digest.ts'
import { type HistoryEntry, parseImageConfig } from '#oci/image-config.ts'
import type { Image, ImageHistory } from './image.ts'
import type { StoredImage, StoredReference } from './image-store.ts'

/** One image from its rows (at least one; all have the same config) and everything that leads to it.
 *  @param root the row to show; undefined: the one that a reference was last pointed at */
export function toImage(
  rows: readonly StoredImage[],
  references: readonly StoredReference[],
  root: Digest | undefined,
): Image {
  const newest = references.reduce<StoredReference | undefined>(
    (best, one) => (best && best.setAt >= one.setAt ? best : one),
    undefined,
  )
  const wanted = root ?? newest?.key.root
  const row = rows.find((one) => one.root.digest === wanted) ?? rows[0]
  if (!row) throw new TypeError('an image without a row')
  const namesOf = (kind: StoredReference['kind']) =>
    references.filter((one) => one.kind === kind).map(({ name }) => name)
  return {
    id: row.id,
    root: row.root,
    manifest: row.manifest,
    config: parseImageConfig(row.config, `image config ${row.id}`),
    parent: row.parent,
    layers: row.layers.map(({ descriptor }) => descriptor),
    chainId: row.layers.at(-1)?.chainId,
    tags: namesOf('tag'),
    digests: namesOf('digest'),
    sizeBytes: row.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    lastTaggedAt: newest?.setAt,
  }
}

/** The labels of the config: what events of the image carry along. */
export function labelsOf({ id, config }: StoredImage): Readonly<Record<string, string>> {
  return parseImageConfig(config, `image config ${id}`).config.Labels ?? {}
}

/** Newest line first. Lines that made no layer have no size; an image without history shows its layers.
 *  @param ancestry the image itself, then those it was made of: each names a line, as Docker has it */
export function toHistory(row: StoredImage, ancestry: Iterable<Image>): ImageHistory[] {
  const { history, created } = parseImageConfig(row.config, `image config ${row.id}`)
  const sizes = row.layers.map(({ sizeBytes }) => sizeBytes)
  const lines: readonly HistoryEntry[] =
    history.length > 0 ? history : row.layers.map(() => (created === undefined ? {} : { created }))
  const sized = lines.map((line) => ({ ...line, sizeBytes: line.empty_layer ? 0 : (sizes.shift() ?? 0) }))
  const named = Iterator.from(ancestry)
  return sized.toReversed().map((line) => {
    const { id, tags } = named.next().value ?? { id: '<missing>', tags: [] }
    return { ...line, id, tags }
  })
}
