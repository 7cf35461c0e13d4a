import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type Digest, digestOf } from '#base/digest.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { hostPlatform, type Platform } from '#oci/platform.ts'
import { type TarEntry, tar } from './tar.ts'

export type Compression = 'gzip' | 'zstd' | 'none'
export type Dialect = 'oci' | 'docker'

export interface TestBlob extends Descriptor {
  readonly bytes: Buffer
}

/** An image as it is pushed: everything below its root. */
export interface TestImage {
  readonly root: TestBlob
  /** The config digest; of an index that of its first image. */
  readonly id: Digest
  readonly platform: Platform
  readonly layers: readonly TestBlob[]
  /** Configs and layers. */
  readonly blobs: readonly TestBlob[]
  /** Below an index. */
  readonly manifests: readonly TestBlob[]
}

export interface TestImageOptions {
  /** Uncompressed archives, the lowest first. */
  readonly layers?: readonly Uint8Array[]
  readonly compression?: Compression
  readonly dialect?: Dialect
  readonly platform?: Platform
  /** Of the image config: Cmd, Env, Labels, … */
  readonly config?: object
  readonly created?: string
  readonly history?: readonly object[]
  /** Makes the image id differ from that of images otherwise alike. */
  readonly author?: string
  /** To be wrong on purpose. */
  readonly diffIds?: readonly Digest[]
}

const layerTypes = {
  oci: { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, none: mediaTypes.ociLayer },
  docker: { gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.dockerLayerZstd, none: mediaTypes.dockerLayer },
} as const

/** One platform's image. */
export function buildImage(options: TestImageOptions = {}): TestImage {
  const { compression = 'gzip', dialect = 'oci', platform = hostPlatform, config = { Cmd: ['sh'] } } = options
  const archives = options.layers ?? [busyboxLayer()]
  const layers = archives.map((archive) => toBlob(layerTypes[dialect][compression], compress(archive, compression)))
  const { os, architecture, variant } = platform
  const configBlob = toBlob(dialect === 'oci' ? mediaTypes.ociConfig : mediaTypes.dockerConfig, {
    created: options.created ?? '2026-01-02T03:04:05.678Z',
    ...(options.author !== undefined && { author: options.author }),
    ...{ os, architecture, ...(variant && { variant }) },
    config,
    rootfs: { type: 'layers', diff_ids: options.diffIds ?? archives.map(digestOf) },
    history: options.history ?? archives.map((_, index) => ({ created_by: `layer ${index}` })),
  })
  const root = toBlob(dialect === 'oci' ? mediaTypes.ociManifest : mediaTypes.dockerManifest, {
    schemaVersion: 2,
    mediaType: dialect === 'oci' ? mediaTypes.ociManifest : mediaTypes.dockerManifest,
    config: toDescriptor(configBlob),
    layers: layers.map(toDescriptor),
  })
  return { root, id: configBlob.digest, platform, layers, blobs: [configBlob, ...layers], manifests: [] }
}

/** Several platforms under one root.   @param extra more entries, such as attestations */
export function buildIndex(
  images: readonly TestImage[],
  { dialect = 'oci', extra = [] }: { dialect?: Dialect; extra?: readonly object[] } = {},
): TestImage {
  const mediaType = dialect === 'oci' ? mediaTypes.ociIndex : mediaTypes.dockerList
  const manifests = images.map(({ root, platform }) => ({ ...toDescriptor(root), platform }))
  const [first] = images
  if (!first) throw new Error('an index of nothing')
  return {
    ...first,
    root: toBlob(mediaType, { schemaVersion: 2, mediaType, manifests: [...manifests, ...extra] }),
    blobs: images.flatMap(({ blobs }) => blobs),
    manifests: images.map(({ root }) => root),
  }
}

/** An archive with the machine's static busybox under all its names, and the few files that programs expect. */
export function busyboxLayer(extra: readonly TarEntry[] = []): Buffer {
  const path = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim()
  const applets = execFileSync(path, ['--list-full'], { encoding: 'utf8' }).trim().split('\n')
  const links = applets.filter((name) => name !== 'bin/busybox')
  const directories = ['bin', 'etc', 'home', 'proc', 'root', 'sys', 'usr', 'usr/bin', 'usr/sbin', 'sbin', 'var', 'dev']
  return tar([
    ...directories.map((name) => ({ name: `${name}/` })),
    { name: 'tmp/', mode: 0o1777 },
    { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n' },
    { name: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    { name: 'bin/busybox', mode: 0o755, content: readFileSync(path) },
    ...links.map((name) => ({ name, type: '1', link: 'bin/busybox', mode: 0o755 })),
    ...extra,
  ])
}

/** Bytes that a registry takes for a blob or manifest of this type. */
export function toBlob(mediaType: string, content: Uint8Array | object): TestBlob {
  const bytes = content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(JSON.stringify(content))
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes }
}

export function toDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

function compress(archive: Uint8Array, compression: Compression): Uint8Array {
  if (compression === 'none') return archive
  return compression === 'gzip' ? gzipSync(archive, { level: 1 }) : zstdCompressSync(archive)
}
