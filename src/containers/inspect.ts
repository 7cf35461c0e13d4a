import { conflict } from '#base/errors.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'
import { isAlive } from './lifecycle.ts'
import { linkTexts } from './links.ts'
import { portsOf } from './published.ts'
import type { ContainerView } from './requests.ts'
import { toAttached } from './sandbox-request.ts'
import { etcOf } from './shared-network.ts'
import { sandboxOf } from './shown-sandbox.ts'
import { appArmorProfileOf } from './spec/apparmor.ts'

/** @throws `not-found`, `conflict` */
export async function inspect(
  context: ContainerContext,
  name: string,
  { size }: { size: boolean },
): Promise<ContainerView> {
  const container = context.store.get(name)
  return { ...toView(context, container), sizes: size ? await sizesOf(context, container) : undefined }
}

/** Everything but the sizes, for which the disk must be asked. */
export function toView(context: ContainerContext, container: Container): ContainerView {
  const { id, config, logPath } = container
  const { hostname, hosts, resolvConf } = etcOf(context, container)
  const { host } = container
  return {
    container: host.links.length > 0 ? { ...container, host: { ...host, links: linkTexts(container) } } : container,
    endpoints: context.network.endpoints(toAttached(container), { isOpen: isAlive(container) }),
    ports: portsOf(context, container),
    sandbox: sandboxOf(container),
    appArmorProfile: context.appArmor.active ? appArmorProfileOf(container.host) : '',
    execIds: context.execs.aliveOf(id).map((exec) => exec.id),
    paths: { hostname, hosts, resolvConf, log: logPath },
    // Asks the database: lists, which do not show it, must not pay for it.
    get graph() {
      return graphOf(context, id)
    },
    effective: {
      env: config.env,
      cmd: config.cmd,
      entrypoint: config.entrypoint,
      workingDir: config.workingDir,
      user: config.user,
      labels: config.labels,
      exposedPorts: config.exposedPorts,
      volumes: config.volumes,
      stopSignal: config.stopSignal,
    },
    sizes: undefined,
  }
}

export async function sizesOf(
  { snapshots, images }: ContainerContext,
  { id, imageId }: Container,
): Promise<{ rw: number; rootfs: number }> {
  const rw = await snapshots.contentBytes(id)
  return { rw, rootfs: rw + (images.sizeOf(imageId) ?? 0) }
}

/** As dockerd's overlay2 and vfs drivers show a container's layers; the merged directory is never in the host's mount table. */
function graphOf({ snapshots, store }: ContainerContext, id: string): ContainerView['graph'] {
  const { state } = store.get(id)
  if (state.status === 'removing' || state.status === 'dead') return { name: 'overlay2', data: {} }
  const mounts = snapshots.mounts(id)
  if (mounts.kind === 'directory') return { name: 'vfs', data: { Dir: mounts.path } }
  if (mounts.upper === undefined || mounts.work === undefined) throw conflict(`container ${id} has no layer of its own`)
  return {
    name: 'overlay2',
    data: {
      ID: id,
      LowerDir: mounts.lower.join(':'),
      MergedDir: mounts.path,
      UpperDir: mounts.upper,
      WorkDir: mounts.work,
    },
  }
}
