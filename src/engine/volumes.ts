import type { Logger } from '#base/log.ts'
import type { Container } from '#containers/container.ts'
import type { ContainerStore } from '#containers/container-store.ts'
import { isAlive } from '#containers/lifecycle.ts'
import type { EventBus } from '#events/bus.ts'
import { runTreeJob } from '#images/snapshots/tree-process.ts'
import { measureContent } from '#images/snapshots/usage.ts'
import type { HostMounts } from '#runtime/mount.ts'
import type { Database } from '#state/database.ts'
import { dockerDirectories } from '#volumes/plugins/discovery.ts'
import { openPlugins } from '#volumes/plugins/plugin-source.ts'
import { VolumeService } from '#volumes/service.ts'
import type { DataRoot } from './data-root.ts'

interface Ports {
  readonly database: Database
  readonly store: ContainerStore
  readonly events: EventBus
  readonly log: Logger
  readonly unpackExecutable: string
  readonly mounts: HostMounts
}

/** Volumes, with the records of containers saying who has them. */
export function openVolumes(
  { volumes: root }: Pick<DataRoot, 'volumes'>,
  { database, store, events, log, unpackExecutable, mounts }: Ports,
): Promise<VolumeService> {
  const users = (which: (container: Container) => boolean) => {
    const byName = new Map<string, string[]>()
    for (const container of store.all().filter(which)) {
      const names = new Set(container.mounts.flatMap(({ type, name }) => (type === 'volume' ? [name] : [])))
      for (const name of names) {
        const ids = byName.get(name)
        if (ids) ids.push(container.id)
        else byName.set(name, [container.id])
      }
    }
    return byName
  }
  const alive = users(isAlive)
  const files = {
    empty: async (directory: string) => void (await runTreeJob(unpackExecutable, '--remove', directory)),
    usage: (directory: string, signal?: AbortSignal) => measureContent(unpackExecutable, directory, signal),
  }
  return VolumeService.open(
    {
      database,
      local: { root, mounts, files },
      plugins: openPlugins(dockerDirectories),
      users: () => users(() => true),
      publish: (event) => events.publish(event),
      log,
    },
    (name) => alive.get(name) ?? [],
  )
}
