import { randomBytes } from 'node:crypto'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { noSpace, systemCode } from '#base/errors.ts'

/** Enough rows and events for hundreds of removals, and each of them gives space back. */
export const reserveBytes = 1 << 20

/** Disk space that is kept for the moment when there is no other: deleting must work on a full disk too. */
export class Reserve {
  readonly #path: string
  #held: boolean

  constructor(path: string) {
    this.#path = path
    this.#held = statSync(path, { throwIfNoEntry: false })?.size === reserveBytes
  }

  /** Makes sure that it is there; what needs more space than it gives back asks for this first.   @throws `no-space` */
  take(): void {
    if (this.#held) return
    try {
      // Random, so that no file system stores it in less.
      writeFileSync(this.#path, randomBytes(reserveBytes), { mode: 0o600 })
      this.#held = true
    } catch (error) {
      rmSync(this.#path, { force: true })
      const code = systemCode(error)
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
      throw noSpace('no space left on the disk of the data root: remove containers or images, or enlarge it', {
        cause: error,
      })
    }
  }

  /** Gives the space to whoever comes next.   @returns false when there was none to give */
  give(): boolean {
    if (!this.#held) return false
    rmSync(this.#path, { force: true })
    this.#held = false
    return true
  }
}
