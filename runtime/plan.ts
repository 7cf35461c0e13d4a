import { type Library, valueAt } from './library.ts'

/** Makes plans for the shim. Synchronous: a plan takes a fraction of a millisecond. */
export interface Plans {
  /**
   * Compiles documents to a plan in a sealed memfd; the caller closes the descriptor.
   * @param config an OCI config.json; without a keeper a process object, for an exec
   * @param keeper what the shim itself must know (runtime/lib/plan.h)
   * @param filter of `Seccomp.compile`
   * @throws `invalid`, naming the place: `process.args[0]: expected a string`
   */
  compile(config: object, keeper: object | undefined, filter: Uint8Array | undefined): number
}

export function openPlans(library: Library): Plans {
  return {
    compile(config, keeper, filter) {
      const descriptor = new Int32Array(1)
      const main = Buffer.from(JSON.stringify(config))
      const other = keeper === undefined ? null : Buffer.from(JSON.stringify(keeper))
      const size = filter?.byteLength ?? 0
      library.call('berth_plan_compile', main, main.length, other, other?.length ?? 0, filter ?? null, size, descriptor)
      return valueAt(descriptor, 0)
    },
  }
}
