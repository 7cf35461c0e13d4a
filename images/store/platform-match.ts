import type { ImageConfig } from '#oci/image-config.ts'
import { formatPlatform, type Platform, platformScore } from '#oci/platform.ts'

/** What is wrong with the image's platform, in Docker's words; undefined when it serves. */
export function platformMismatch(name: string, config: ImageConfig, wanted: Platform): string | undefined {
  if (platformScore(config, wanted) > 0) return undefined
  const actual = formatPlatform(config)
  return `image with reference ${name} was found but its platform (${actual}) does not match the specified platform (${formatPlatform(wanted)})`
}
