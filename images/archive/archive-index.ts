import { invalid } from '#base/errors.ts'
import { type Descriptor, readDescriptor } from '#oci/descriptor.ts'
import { JsonReader } from '#oci/json.ts'
import { manifestSizeLimit } from '#oci/manifest.ts'
import { parseReference, type Reference } from '#oci/reference.ts'
import { nameAnnotation, refNameAnnotation } from './documents.ts'
import type { TreeReader } from './tree-reader.ts'

/** An entry of `manifest.json`. */
export interface DockerEntry {
  /** Path of the config. */
  readonly config: string
  /** Paths of the layers, the lowest first. */
  readonly layers: readonly string[]
  readonly tags: readonly Reference[]
  /** The id of another image of the archive, perhaps. */
  readonly parent: string | undefined
}

/** An entry of `index.json`. */
export interface OciEntry {
  readonly root: Descriptor
  /** Undefined where the annotations name no whole reference. */
  readonly reference: Reference | undefined
}

/** Undefined without a manifest.json.   @throws `invalid` */
export async function readDockerEntries(files: TreeReader): Promise<readonly DockerEntry[] | undefined> {
  const bytes = await files.readIfThere('manifest.json', manifestSizeLimit)
  if (!bytes) return undefined
  const reader = JsonReader.parse(bytes.toString('utf8'), 'manifest.json')
  return reader.array(1000).map((entry) => ({
    config: entry.field('Config').string(),
    layers: entry.field('Layers').optional((list) => list.stringArray(1000)) ?? [],
    tags: (entry.field('RepoTags').optional((list) => list.stringArray(1000)) ?? []).map(parseTagged),
    parent: entry.field('Parent').optional((parent) => parent.string()),
  }))
}

/** Undefined where there is no OCI layout.   @throws `invalid`   @see image-spec v1.1 image-layout.md */
export async function readOciEntries(files: TreeReader): Promise<readonly OciEntry[] | undefined> {
  const [marker, index] = [
    await files.readIfThere('oci-layout', manifestSizeLimit),
    await files.readIfThere('index.json', manifestSizeLimit),
  ]
  if (!marker || !index) return undefined
  const version = JsonReader.parse(marker.toString('utf8'), 'oci-layout').field('imageLayoutVersion').string()
  if (!version.startsWith('1.')) throw invalid(`the image layout has version ${version}; only 1.x is supported`)
  const manifests = JsonReader.parse(index.toString('utf8'), 'index.json').field('manifests')
  return (manifests.optional((list) => list.array(1000)) ?? []).map(readDescriptor).map((root) => {
    return { root, reference: referenceOf(root) }
  })
}

/** containerd and Docker write the whole name; others the reference or, as the specification has it, the tag alone. */
function referenceOf({ annotations = {} }: Descriptor): Reference | undefined {
  const name = annotations[nameAnnotation]
  const refName = annotations[refNameAnnotation]
  const text = name ?? (refName !== undefined && /[:/]/.test(refName) ? refName : undefined)
  if (text === undefined) return undefined
  const reference = parseReference(text)
  return reference.tag === undefined || reference.digest !== undefined ? undefined : reference
}

function parseTagged(text: string): Reference {
  const reference = parseReference(text)
  if (reference.tag === undefined) throw invalid(`invalid tag ${JSON.stringify(text.slice(0, 200))}`)
  return reference
}
