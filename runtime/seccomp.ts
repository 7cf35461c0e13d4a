import type { Library } from './library.ts'

export interface Seccomp {
  /**
   * Takes half a millisecond for Docker's profile.
   * @param profile linux.seccomp of the runtime-spec, fully resolved
   * @returns a BPF program for `Plans.compile`
   * @throws `invalid`, naming the place
   */
  compile(profile: object): Promise<Uint8Array>
}

const filterBytes = 4096 * 8 // BPF_MAXINSNS instructions

export function openSeccomp(library: Library): Seccomp {
  return {
    async compile(profile) {
      const text = Buffer.from(JSON.stringify(profile))
      const filter = new Uint8Array(filterBytes)
      const size = new BigUint64Array(1)
      await library.wait('berth_seccomp_compile', text, text.length, filter, filter.length, size)
      return filter.slice(0, Number(size[0]))
    },
  }
}
