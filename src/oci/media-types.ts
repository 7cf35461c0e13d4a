/** Media types of the image-spec v1.1 and of Docker's image manifest v2 schema 2. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const

const indexes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerList]
const manifests: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest]
const layers: readonly string[] = [
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerLayerZstd,
]

export const isIndexType = (mediaType: string): boolean => indexes.includes(mediaType)
export const isManifestType = (mediaType: string): boolean => manifests.includes(mediaType)
export const isLayerType = (mediaType: string): boolean => layers.includes(mediaType)

export const isPlainLayerType = (mediaType: string): boolean =>
  mediaType === mediaTypes.ociLayer || mediaType === mediaTypes.dockerLayer

/** What we accept from a registry where a tag or digest may be either. */
export const manifestAccept: readonly string[] = [...indexes, ...manifests]
