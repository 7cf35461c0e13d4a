import type { DistributionInspect, Platform as WirePlatform, SearchResult as WireResult } from '#contract/types.gen.ts'
import type { RemoteImage } from '#images/registry/inspect.ts'
import type { SearchResult } from '#images/registry/search.ts'
import type { Platform } from '#oci/platform.ts'

export function presentRemoteImage({ descriptor, platforms }: RemoteImage): DistributionInspect {
  const { mediaType, digest, size } = descriptor
  return { Descriptor: { mediaType, digest, size }, Platforms: platforms?.map(presentPlatform) ?? null }
}

export function presentSearchResult({ stars, isOfficial, name, description }: SearchResult): WireResult {
  return { star_count: stars, is_official: isOfficial, name, is_automated: false, description }
}

function presentPlatform({ os, architecture, variant, ...rest }: Platform): WirePlatform {
  const { 'os.version': version, 'os.features': features } = rest
  return {
    architecture,
    os,
    ...(version && { 'os.version': version }),
    ...(features && { 'os.features': [...features] }),
    ...(variant && { variant }),
  }
}
