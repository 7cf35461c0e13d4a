import { invalid, messageOf } from '#base/errors.ts'
import type { ApiVersion } from '#contract/versions.ts'
import { JsonReader } from '#oci/json.ts'
import { type Platform, readPlatform } from '#oci/platform.ts'
import { parseJson } from './go-json.ts'

/** A platform as JSON, as image operations have it since 1.46; undefined when absent.   @throws `invalid` in Docker's words */
export function parsePlatformJson(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined
  try {
    const platform = readPlatform(new JsonReader(parseJson(text), 'platform'))
    if (platform.os !== '' && platform.architecture !== '') return platform
  } catch (error) {
    throw invalid(`failed to parse platform: ${messageOf(error).replace(/^invalid JSON: /, '')}`, { cause: error })
  }
  throw invalid('both OS and Architecture must be provided')
}

/** As `parsePlatformJson`; before version `first` it meant nothing, whatever it said. */
export function parsePlatformSince(
  first: ApiVersion,
  version: ApiVersion,
  text: string | undefined,
): Platform | undefined {
  return version < first ? undefined : parsePlatformJson(text)
}

/** `os[/arch[/variant]]` as it came; undefined when absent.   @throws `invalid` in Docker's words */
export function checkPlatform(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const parts = text.split('/')
  if (parts.length > 3) throw invalid(`${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`)
  if (!parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))) {
    throw invalid(
      `${JSON.stringify(text)}: invalid platform specifier: each part is letters, digits, dots, dashes and underscores: invalid argument`,
    )
  }
  return text
}
