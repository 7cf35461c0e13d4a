import { invalid } from '#base/errors.ts'

/** A version of the Engine API as `major * 1000 + minor`, so that versions compare as numbers. */
export type ApiVersion = number & { readonly __brand: 'ApiVersion' }

/** The oldest that Docker's engine still answers; traefik, watchtower and ryuk ask for it. */
export const oldestVersion = versionOf(1, 24)

/** 1.52 takes fields away that devcontainers and others still read; so not yet. */
export const newestVersion = versionOf(1, 51)

/** Shapes that differ by version: true when the answer has the new form. */
export const since = {
  /** Stats may be of one moment, with nothing before it. */
  oneShotStats: versionOf(1, 41),
  /** Messages of a WebSocket are binary. */
  binaryWebSocket: versionOf(1, 28),
  /** A WebSocket is told which streams to attach. */
  webSocketStreams: versionOf(1, 42),
  /** Attach, exec and logs say `multiplexed-stream` when frames follow. */
  multiplexedType: versionOf(1, 42),
  /** Pruning volumes spares those that have a name, unless `all` is asked for. */
  pruneAnonymousVolumes: versionOf(1, 42),
  /** Security options in info have fields: `name=seccomp,profile=builtin`. */
  securityOptionFields: versionOf(1, 25),
  /** Health checks may have an interval of their own for the start. */
  healthStartInterval: versionOf(1, 44),
  /** `VirtualSize` is gone from images. */
  noVirtualSize: versionOf(1, 44),
  /** Images in lists have an empty list where they have no names, not null or `<none>:<none>`. */
  emptyImageNames: versionOf(1, 43),
  /** The use of disk space is told of the kinds that are asked for. */
  diskUsageKinds: versionOf(1, 42),
  /** Endpoints' aliases are without the container's short id. */
  noIdInAliases: versionOf(1, 45),
  /** `Container` and `ContainerConfig` are gone from image inspect. */
  noImageContainer: versionOf(1, 45),
  /** Lists of images may tell the manifests below each root. */
  listedManifests: versionOf(1, 47),
  /** Annotations stand in a container's HostConfig. */
  annotations: versionOf(1, 43),
  /** They stand there in lists too. */
  listedAnnotations: versionOf(1, 46),
  /** Events tell of images that were made here. */
  imageCreateEvents: versionOf(1, 46),
  /** A push may be of one platform's manifest. */
  pushPlatform: versionOf(1, 46),
  /** Container answers carry the descriptor of the image's manifest. */
  manifestDescriptor: versionOf(1, 48),
  /** Image inspect may tell the manifests below the root. */
  inspectedManifests: versionOf(1, 48),
  /** Save and load take the platform that is meant. */
  archivePlatforms: versionOf(1, 48),
  /** History takes the platform that is meant. */
  historyPlatform: versionOf(1, 48),
  /** Image inspect takes the platform that is meant. */
  inspectPlatform: versionOf(1, 49),
  /** Info tells what the rules of networks are written with. */
  firewallBackend: versionOf(1, 49),
  /** Nondistributable artifacts are gone from info. */
  noNondistributable: versionOf(1, 49),
  /** A removal takes the platform that is meant. */
  removalPlatforms: versionOf(1, 50),
  /** Image inspect's Config has only what an image can say. */
  noLegacyImageConfig: versionOf(1, 50),
  /** Lists of images count the containers of each. */
  imageContainers: versionOf(1, 51),
  /** The bridge-nf fields are gone from info. */
  noBridgeNf: versionOf(1, 50),
  /** `KernelMemory` is gone from info. */
  noKernelMemory: versionOf(1, 42),
} as const

export function versionOf(major: number, minor: number): ApiVersion {
  return (major * 1000 + minor) as ApiVersion
}

export function formatVersion(version: ApiVersion): string {
  return `${Math.trunc(version / 1000)}.${version % 1000}`
}

/** Reads `1.41`.   @throws `invalid` in Docker's words when it is not served (`version-too-old`, `version-too-new`) */
export function parseVersion(text: string): ApiVersion {
  const [major = '', minor = '0'] = text.split('.')
  const version = versionOf(Number(major), Number(minor))
  if (version < oldestVersion) {
    throw invalid(
      `client version ${text} is too old. Minimum supported API version is ${formatVersion(oldestVersion)}, please upgrade your client to a newer version`,
      { code: 'version-too-old' },
    )
  }
  if (version > newestVersion) {
    throw invalid(
      `client version ${text} is too new. Maximum supported API version is ${formatVersion(newestVersion)}`,
      { code: 'version-too-new' },
    )
  }
  return version
}
