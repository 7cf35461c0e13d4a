import { invalid } from '#base/errors.ts'

export const defaultDetachKeys = 'ctrl-p,ctrl-q'

/** `ctrl-p,ctrl-q` or `a,b,ctrl-c` → the bytes that such keys send.   @throws `invalid` in Docker's words */
export function parseDetachKeys(text: string): Buffer {
  return Buffer.from(text.split(',').map(toCode))
}

function toCode(key: string): number {
  if (key.length === 1) return key.charCodeAt(0)
  if (key === 'DEL') return 127
  const match = /^ctrl-([a-z@[\\\]^_])$/.exec(key)
  if (!match?.[1]) throw invalid(`Unknown character: '${key}'`)
  return match[1].toUpperCase().charCodeAt(0) - 64
}

/** Lets typed bytes through until the whole sequence has come; a part of it is held back until it is clear what it is. */
export class DetachFilter {
  readonly #keys: Buffer
  #matched = 0

  constructor(keys: Buffer) {
    this.#keys = keys
  }

  push(bytes: Buffer): { readonly pass: Buffer; readonly detached: boolean } {
    const pass: number[] = []
    for (const byte of bytes) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1
        if (this.#matched === this.#keys.length) return { pass: Buffer.from(pass), detached: true }
        continue
      }
      pass.push(...this.#keys.subarray(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) pass.push(byte)
    }
    return { pass: Buffer.from(pass), detached: false }
  }
}
