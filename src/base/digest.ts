import { createHash } from 'node:crypto'
import { invalid } from './errors.ts'

/** `sha256:<64 hex digits>`; the only algorithm that registries use in practice. @see image-spec v1.1 descriptor.md#digests */
export type Digest = string & { readonly __brand: 'Digest' }

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}

/** @throws `invalid` when the text is no sha256 digest. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw invalid(`digest '${text.slice(0, 100)}' is not sha256:<64 hex digits>`)
  return text
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}

/** The hex digits without the algorithm: a file name. */
export function encodedOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
