import { notFound } from '#base/errors.ts'
import { hostPlatform } from '#oci/platform.ts'
import { formatReference, type Reference, withDefaultTag } from '#oci/reference.ts'
import type { StoredImage } from '../store/image-store.ts'
import { type AddImagePorts, addImage } from './add-image.ts'
import { chooseManifest } from './choose-manifest.ts'
import { openLayout } from './layout-source.ts'

/** Lists the image of an OCI layout under a reference. One that is there already costs two small reads.
 *  @returns the image, or undefined when nothing was to be done */
export async function importLayout(
  ports: AddImagePorts,
  directory: string,
  reference: Reference,
  signal: AbortSignal,
): Promise<StoredImage | undefined> {
  const layout = await openLayout(directory)
  const [first, ...others] = layout.roots
  if (!first) throw notFound(`the image layout ${directory} holds no image`)
  // Several entries are one image for several platforms, listed without an index of their own.
  const root =
    others.length === 0
      ? first
      : chooseManifest({ kind: 'index', mediaType: '', manifests: layout.roots, annotations: {} }, hostPlatform)
  const named = withDefaultTag(reference)
  if (ports.store.findReference(formatReference(named))?.key.root === root.digest) return undefined
  const { image } = await addImage(ports, {
    source: layout,
    root: { mediaType: root.mediaType, digest: root.digest, size: root.size },
    platform: hostPlatform,
    references: [named],
    isFromRepository: false,
    report: () => undefined,
    signal,
  })
  return image
}
