import type { Digest } from '#base/digest.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import { parseReference, type Reference } from '#oci/reference.ts'
import type { ImageStore } from '../store/image-store.ts'

/** Each costs a request when the registry does not have the blob there any more. */
const maxSources = 3

/**
 * From which repositories of the same registry a layer may be taken over: those that an image with it came from or was pushed to, which its
 * digest references tell. The repositories with the most of the path in common come first, as in Docker.
 */
export function mountSources(
  store: Pick<ImageStore, 'list' | 'references'>,
  target: Reference,
): (layer: Digest) => readonly string[] {
  const paths = new Map<Digest, Set<string>>()
  const layersOf = Map.groupBy(store.list(), ({ root, id }) => `${root.digest} ${id}`)
  for (const { name, kind, key } of store.references()) {
    if (kind !== 'digest') continue
    const { domain, path } = parseReference(name)
    if (domain !== target.domain || path === target.path) continue
    for (const { descriptor } of layersOf.get(`${key.root} ${key.id}`)?.flatMap(({ layers }) => layers) ?? []) {
      paths.set(descriptor.digest, (paths.get(descriptor.digest) ?? new Set()).add(path))
    }
  }
  return (layer) =>
    [...(paths.get(layer) ?? [])]
      .toSorted((one, other) => commonParts(other, target.path) - commonParts(one, target.path))
      .slice(0, maxSources)
}

function commonParts(one: string, other: string): number {
  const [left, right] = [one.split('/'), other.split('/')]
  const differing = left.findIndex((part, index) => part !== right[index])
  return differing < 0 ? left.length : differing
}

/** Every blob that images name for a layer, those of one image first. */
export function blobsByDiffId(
  store: Pick<ImageStore, 'list'>,
  first: Digest,
): (diffId: Digest) => readonly Descriptor[] {
  const blobs = new Map<Digest, Descriptor[]>()
  const images = store.list()
  for (const { id, config, layers } of [...images.filter(({ id }) => id === first), ...images]) {
    const { diffIds } = parseImageConfig(config, `image config ${id}`)
    for (const [index, { descriptor }] of layers.entries()) {
      const diffId = diffIds[index]
      const known = diffId && (blobs.get(diffId) ?? [])
      if (!known || known.some(({ digest }) => digest === descriptor.digest)) continue
      blobs.set(diffId, [...known, descriptor])
    }
  }
  return (diffId) => blobs.get(diffId) ?? []
}
