import { createHash } from 'node:crypto'
import type { Library } from './library.ts'

/** Compiles seccomp profiles. A filter takes half a millisecond and is always the same, so those in use are kept. */
export interface Seccomp {
  /**
   * @param profile linux.seccomp of the runtime-spec, fully resolved
   * @returns a BPF program for `Plans.compile`; shared, not to be written to
   * @throws `invalid`, naming the place
   */
  compile(profile: object): Promise<Uint8Array>
}

const filterBytes = 4096 * 8 // BPF_MAXINSNS instructions
const keptFilters = 64

export function openSeccomp(library: Library): Seccomp {
  const kept = new Map<string, Promise<Uint8Array>>()
  return {
    compile(profile) {
      const text = Buffer.from(JSON.stringify(profile))
      const key = createHash('sha256').update(text).digest('hex')
      const found = kept.get(key)
      if (found) return found

      const made = compileFilter(library, text)
      made.catch(() => kept.delete(key))
      const [oldest] = kept.keys()
      if (kept.size >= keptFilters && oldest !== undefined) kept.delete(oldest)
      kept.set(key, made)
      return made
    },
  }
}

async function compileFilter(library: Library, profile: Buffer): Promise<Uint8Array> {
  const filter = new Uint8Array(filterBytes)
  const size = new BigUint64Array(1)
  await library.wait('berth_seccomp_compile', profile, profile.length, filter, filter.length, size)
  return filter.slice(0, Number(size[0]))
}
