import { callForJson } from './answer.ts'
import type { Library } from './library.ts'

export interface CgroupHierarchy {
  readonly mount: string
  /** `name=systemd` for a hierarchy without a controller. */
  readonly controllers: readonly string[]
  readonly unified: boolean
}

/** The control groups of this host, which may be v1, v2 or both. */
export interface CgroupLayout {
  /** That of the hierarchy which limits memory. */
  readonly version: 1 | 2
  /** By which version each controller is served. */
  readonly controllers: Readonly<Record<string, 1 | 2>>
  readonly hierarchies: readonly CgroupHierarchy[]
}

/** Counters of a group; what this host does not count is not there. Times in ns, sizes in bytes. */
export interface CgroupStats {
  readonly cpu: {
    readonly total?: number
    readonly user?: number
    readonly system?: number
    readonly periods?: number
    readonly throttledPeriods?: number
    readonly throttledTime?: number
    /** v1 only. */
    readonly perCpu?: readonly number[]
  }
  readonly memory: {
    readonly usage?: number
    readonly maxUsage?: number
    /** Not there when v2 has no limit; a number near 2^63 when v1 has none. */
    readonly limit?: number
    readonly failures?: number
    readonly cache?: number
    /** Memory and swap together. */
    readonly swapUsage?: number
    readonly swapLimit?: number
    readonly swapFailures?: number
    readonly kernelUsage?: number
    readonly oomKills?: number
    /** How often memory was out at the limit, whatever came of it; v2 only. */
    readonly ooms?: number
    /** The kernel's own names, which differ between v1 and v2. */
    readonly stat: Readonly<Record<string, number>>
  }
  readonly pids: { readonly current?: number; readonly limit?: number }
  readonly block: readonly {
    readonly major: number
    readonly minor: number
    readonly readBytes: number
    readonly writeBytes: number
    readonly discardBytes: number
    readonly readOperations: number
    readonly writeOperations: number
    readonly discardOperations: number
  }[]
  readonly hugepages: readonly {
    /** `2MB` */
    readonly size: string
    readonly counters: { readonly usage?: number; readonly maxUsage?: number; readonly failures?: number }
  }[]
}

export interface Cgroups {
  layout(): CgroupLayout
  /** SIGKILL to every process of the group and below it; success when there is no such group. */
  kill(path: string): Promise<void>
  /**
   * Removes the group and those below it from every hierarchy, waiting for killed processes to be gone; success when there is none.
   * @throws `conflict` when processes live in it still, after three seconds
   */
  remove(path: string): Promise<void>
  /**
   * Changes limits while the group is in use; what is not named stays as it is.
   * @param resources linux.resources of the OCI runtime-spec
   * @throws `invalid`, naming the place, or what the kernel refused, with the controller, the file and the value
   */
  update(path: string, resources: object): Promise<void>
  /** A fraction of a millisecond.   @throws `not-found` when there is no such group */
  stats(path: string): CgroupStats
  /** The processes of the group and below it, ascending.   @throws `not-found` when there is no such group */
  processes(path: string): readonly number[]
}

export function openCgroups(library: Library): Cgroups {
  return {
    layout: () => callForJson(library, 'berth_cgroup_layout') as CgroupLayout,
    async kill(path) {
      await library.wait('berth_cgroup_kill', path)
    },
    async remove(path) {
      await library.wait('berth_cgroup_remove', path)
    },
    async update(path, resources) {
      const document = Buffer.from(JSON.stringify(resources))
      await library.wait('berth_cgroup_update', path, document, document.length)
    },
    stats: (path) => callForJson(library, 'berth_cgroup_stats', path) as CgroupStats,
    processes(path) {
      const count = new BigUint64Array(1)
      for (let capacity = 256; ; capacity = 2 * Number(count[0])) {
        const pids = new Int32Array(capacity)
        library.call('berth_cgroup_processes', path, pids, capacity, count)
        if (Number(count[0]) <= capacity) return [...pids.subarray(0, Number(count[0]))]
      }
    },
  }
}
