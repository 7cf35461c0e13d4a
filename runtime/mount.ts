import type { Library } from './library.ts'

/** mount(2) and umount2(2) in this process's own namespace: seen by the whole host. A server that does not answer holds each up. */
export interface HostMounts {
  /** @param flags MS_*   @throws the errno's name is the error's code */
  mount(
    call: { readonly source: string; readonly type: string; readonly flags: number; readonly data: string },
    target: string,
  ): Promise<void>
  /** Lazily: it is out of the tree at once. */
  unmount(target: string): Promise<void>
}

export function openMounts(library: Library): HostMounts {
  return {
    async mount({ source, type, flags, data }, target) {
      await library.wait('berth_mount_at', source, target, type, flags, data)
    },
    async unmount(target) {
      await library.wait('berth_unmount', target)
    },
  }
}
