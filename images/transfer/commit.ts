import { buildFacts } from '#base/build-facts.ts'
import type { Digest } from '#base/digest.ts'
import { isKind, notFound } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import type { EngineEvent } from '#events/event.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import {
  type ContainerDefaults,
  type ContainerIdentity,
  type ImageConfig,
  type ImageConfigDocument,
  parseImageConfig,
} from '#oci/image-config.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { familiarReference, type Reference } from '#oci/reference.ts'
import { applyChanges } from '../config/changes.ts'
import { toDockerConfig } from '../config/docker-config.ts'
import { mergeDefaults } from '../config/merge-defaults.ts'
import type { Lease } from '../content/leases.ts'
import { packLayer } from '../layers/diff.ts'
import { letGo } from '../store/garbage.ts'
import type { StoredImage } from '../store/image-store.ts'
import type { AddImagePorts } from './add-image.ts'
import { createImage } from './create-image.ts'

export interface ContainerCommit {
  /** The image that the container was made of. */
  readonly parent: { readonly id: Digest; readonly root: Digest }
  /** Key of the container's own snapshot. */
  readonly snapshot: string
  readonly container: { readonly id: string; readonly identity: Partial<ContainerIdentity> }
  /** What containers of the new image run, unless `asked` and `changes` say otherwise. */
  readonly config: ContainerDefaults
  readonly asked: ContainerDefaults | undefined
  /** Dockerfile instructions that change the config. */
  readonly changes: readonly string[]
  /** The container's command, for the history. */
  readonly createdBy: string
  readonly author: string
  readonly comment: string
  /** With its tag; undefined leaves the image without a name. */
  readonly reference: Reference | undefined
  /** Called when the files have been read; what it throws leaves nothing behind. */
  readonly check: () => void
  /** What is told besides, in the transaction that lists the image. */
  readonly events: (image: Digest) => readonly Omit<EngineEvent, 'time'>[]
}

/** The layer of a container that changed nothing: an archive without entries. Docker lists it in the history only. */
const emptyLayer = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'

interface Layer {
  readonly descriptor: Descriptor
  readonly diffId: Digest
}

/** Makes an image of a container: its image's layers, and one more with what it changed. On disk when this resolves, with its id; after a
 *  failure nothing of it is left.   @throws `invalid` for a bad change or a file that no layer can hold, `not-found`, `no-space` */
export async function commitContainer(
  ports: AddImagePorts,
  commit: ContainerCommit,
  signal: AbortSignal,
): Promise<Digest> {
  const parent = findParent(ports, commit)
  const parentConfig = parseImageConfig(parent.config, `image config ${parent.id}`)
  const config = toConfig(commit, parentConfig)
  const lease = ports.leases.open()
  try {
    const below = layersOf(parent, parentConfig, lease)
    const layer = await storeLayer(ports, commit.snapshot, lease, signal)
    commit.check()
    const isEmpty = layer.diffId === emptyLayer
    const { image } = await createImage(ports, {
      config: toDocument(commit, { config, parent: parentConfig, isEmpty }),
      layers: isEmpty ? below : [...below, layer],
      ...(commit.reference && { reference: commit.reference }),
      parent: parent.id,
      events: ({ id }) => [...toEvents(id, commit.reference, config), ...commit.events(id)],
      signal,
    })
    return image.id
  } finally {
    await letGo(ports, lease)
  }
}

function findParent({ store }: AddImagePorts, { parent }: ContainerCommit): StoredImage {
  const rows = store.withId(parent.id)
  const found = rows.find(({ root }) => root.digest === parent.root) ?? rows[0]
  if (!found) {
    throw notFound(`No such image: ${parent.id}; the container cannot be committed without the image it was made of`)
  }
  return found
}

function toConfig({ config, asked, changes }: ContainerCommit, parent: ImageConfig): ContainerDefaults {
  const { Healthcheck } = parent.config
  const container = { ...(Healthcheck && { Healthcheck }), ...config }
  return mergeDefaults(applyChanges(asked ?? container, changes), container)
}

function layersOf({ layers }: StoredImage, { diffIds }: ImageConfig, lease: Lease): Layer[] {
  return layers.flatMap(({ descriptor, chainId }, index) => {
    const diffId = diffIds[index]
    lease.hold(descriptor.digest)
    lease.hold(chainId)
    return diffId === undefined ? [] : [{ descriptor, diffId }]
  })
}

/** Layers of our own are kept plain: whoever pushes them compresses them. */
async function storeLayer(ports: AddImagePorts, snapshot: string, lease: Lease, signal: AbortSignal): Promise<Layer> {
  using _ = await ports.budget.admit(
    `an image of container ${shortId(snapshot)}`,
    await sizeOf(ports, snapshot, signal),
  )
  await using ingest = await ports.content.openIngest()
  const { digest, size } = await ingest.fill(async (fd) => {
    const packed = await packLayer(ports, { snapshot, fd, withoutMountPoints: true }, signal)
    return { digest: packed.diffId, size: packed.size }
  })
  if (digest !== emptyLayer) {
    lease.hold(digest)
    await ingest.commit(digest, size)
  }
  return { descriptor: { mediaType: mediaTypes.ociLayer, digest, size }, diffId: digest }
}

async function sizeOf({ snapshots }: AddImagePorts, snapshot: string, signal: AbortSignal): Promise<number> {
  try {
    return (await snapshots.usage(snapshot, signal)).bytes
  } catch (error) {
    // What is too deep to be counted can be packed nevertheless.
    if (isKind(error, 'internal')) return 0
    throw error
  }
}

function toDocument(
  { author, comment, createdBy, container, config: own }: ContainerCommit,
  { config, parent, isEmpty }: { config: ContainerDefaults; parent: ImageConfig; isEmpty: boolean },
): ImageConfigDocument {
  const created = new Date().toISOString()
  const { architecture, os, variant, history } = parent
  const said = { ...(author !== '' && { author }), created_by: createdBy, ...(comment !== '' && { comment }) }
  return {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    created,
    ...(author !== '' && { author }),
    config: toDockerConfig(config),
    container: container.id,
    container_config: toDockerConfig({ ...own, ...container.identity }),
    docker_version: buildFacts.version,
    history: [...history, { created, ...said, ...(isEmpty && { empty_layer: true }) }],
  }
}

function toEvents(id: Digest, reference: Reference | undefined, { Labels }: ContainerDefaults) {
  const event = (action: string, name: string) =>
    ({ type: 'image', action, actor: { id, attributes: { ...Labels, name } } }) as const
  return [event('create', id), ...(reference ? [event('tag', familiarReference(reference))] : [])]
}
