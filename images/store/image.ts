import type { Digest } from '#base/digest.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { HistoryEntry, ImageConfig } from '#oci/image-config.ts'

/** One image of this machine's platform: a config with its layers, and every reference that leads to it. */
export interface Image {
  /** The config digest: Docker's image id. */
  readonly id: Digest
  /** What the references point at: an index or a manifest. */
  readonly root: Descriptor
  readonly manifest: Descriptor
  readonly config: ImageConfig
  /** The id of the image that it was committed from; it may be gone. */
  readonly parent: Digest | undefined
  readonly layers: readonly Descriptor[]
  /** Name of the topmost committed snapshot; undefined without layers. */
  readonly chainId: string | undefined
  /** `docker.io/library/busybox:latest`, normalised. */
  readonly tags: readonly string[]
  /** `docker.io/library/busybox@sha256:…`, normalised. */
  readonly digests: readonly string[]
  /** Unpacked bytes of all layers. */
  readonly sizeBytes: number
  /** When a reference last began to point here, in ms since 1970. */
  readonly lastTaggedAt: number | undefined
}

/** Where an image's layers are on this host. */
export interface ImageGraph {
  readonly driver: 'overlay2' | 'vfs'
  readonly directories: Readonly<Record<string, string>> | undefined
}

/** An image among the others. */
export interface ImageWithSharing {
  readonly image: Image
  /** Part of its size that other images have too. */
  readonly sharedBytes: number
  /** Containers made of it. */
  readonly users: number
}

/** A line of `docker history`, newest first. */
export interface ImageHistory extends HistoryEntry {
  /** The image that ends with this line; `<missing>` where none is here. */
  readonly id: string
  readonly sizeBytes: number
  readonly tags: readonly string[]
}
