import { randomBytes } from 'node:crypto'

/** A new id of 64 hex digits whose short form is never all digits (it would pass for a number in host names). */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex')
    if (!/^\d+$/.test(id.slice(0, 12))) return id
  }
}

/** The twelve digits that people see. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}

export function isFullId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
