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
  }
}
