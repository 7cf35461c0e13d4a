import { type Digest, parseDigest } from '#base/digest.ts'
import type { JsonReader } from './json.ts'
import { type Platform, readPlatform } from './platform.ts'

/** Points at content. @see image-spec v1.1 descriptor.md */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
  readonly urls?: readonly string[]
}

export function readDescriptor(reader: JsonReader): Descriptor {
  const platform = reader.field('platform').optional(readPlatform)
  const annotations = reader.field('annotations').optional((map) => map.stringMap())
  const urls = reader.field('urls').optional((list) => list.stringArray(100))
  return {
    mediaType: reader.field('mediaType').optional((type) => type.string()) ?? '',
    digest: parseDigest(reader.field('digest').string()),
    size: reader.field('size').size(),
    ...(platform && { platform }),
    ...(annotations && { annotations }),
    ...(urls && { urls }),
  }
}
