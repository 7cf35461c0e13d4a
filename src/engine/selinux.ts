import { messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { findHostLabels } from '#containers/selinux/host-labels.ts'
import { Selinux } from '#containers/selinux/selinux.ts'
import { runTreeJobOn } from '#images/snapshots/tree-process.ts'
import { setLabel } from '#runtime/label.ts'
import type { Library } from '#runtime/library.ts'
import type { Config } from './config.ts'
import type { Natives } from './natives.ts'

/** Like dockerd, a daemon that was told to use labels goes on without them where there are none. */
export async function openSelinux(
  { selinuxEnabled }: Config,
  { unpack, init }: Natives,
  { library, log }: { readonly library: Library; readonly log: Logger },
): Promise<Selinux> {
  const labels = selinuxEnabled ? findHostLabels() : undefined
  if (selinuxEnabled && labels === undefined)
    log.warn({}, 'SELinux could not be enabled: it is not active on this host; containers get no labels')
  const selinux = new Selinux(labels, {
    set: (path, label) => setLabel(library, path, label),
    async setBelow(descriptor, label, signal) {
      await runTreeJobOn(unpack, ['--relabel', label], { target: descriptor }, signal)
    },
  })
  await selinux.labelShared(init).catch((error: unknown) => {
    log.warn({ error: messageOf(error) }, 'berth-init has no label: SELinux may keep containers from running it')
  })
  return selinux
}
