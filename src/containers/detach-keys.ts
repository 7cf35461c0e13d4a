import { invalid } from '#base/errors.ts'

export const defaultDetachKeys = 'ctrl-p,ctrl-q'

const controls = 'abcdefghijklmnopqrstuvwxyz[\\]^_'

/** "ctrl-p,ctrl-q", "a,b" → bytes.   @throws `invalid` */
export function parseDetachKeys(text: string): Buffer {
  return Buffer.from((text === '' ? defaultDetachKeys : text).split(',').map(toByte))
}

function toByte(key: string): number {
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase()
  if (control === '@') return 0
  const at = control === undefined ? -1 : controls.indexOf(control)
  if (at >= 0) return at + 1
  if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0)
  throw invalid(`Invalid detach keys (${key}) provided`)
}

/** Looks for the keys in a terminal's input; what may be their beginning is held back until the next byte decides. */
export class DetachScanner {
  readonly #keys: Buffer
  #matched = 0

  constructor(keys: Buffer) {
    this.#keys = keys
  }

  /** What the process gets of the chunk; `detached` when the keys were complete. */
  push(chunk: Buffer): { forward: Buffer; detached: boolean } {
    const forward: number[] = []
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched]) {
        forward.push(...this.#keys.subarray(0, this.#matched))
        this.#matched = 0
      }
      if (byte !== this.#keys[this.#matched]) {
        forward.push(byte)
        continue
      }
      this.#matched += 1
      if (this.#matched === this.#keys.length) {
        this.#matched = 0
        return { forward: Buffer.from(forward), detached: true }
      }
    }
    return { forward: Buffer.from(forward), detached: false }
  }
}
