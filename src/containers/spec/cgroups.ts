import { invalid } from '#base/errors.ts'
import type { Container, ContainerState, HostSettings } from '../container.ts'

/** Who makes the cgroups of containers: we ourselves, or systemd, as scopes of its own. */
export type CgroupDriver = 'cgroupfs' | 'systemd'

interface Placed extends Pick<Container, 'id' | 'host'> {
  readonly state: Pick<ContainerState, 'cgroupParent'>
}

const defaultSlice = 'system.slice'

/** The runtime-spec's cgroupsPath: `/berth/<id>` or below the asked parent; of systemd `slice:berth:<id>`. */
export function cgroupsPathOf(container: Placed, driver: CgroupDriver): string {
  const { id } = container
  if (driver === 'systemd') return `${parentOf(container) || defaultSlice}:berth:${id}`
  return `/${parentOf(container).replace(/^\/+|\/+$/g, '') || 'berth'}/${id}`
}

/** Where the group is in each hierarchy. @see systemd.slice(5) for the names of slices */
export function cgroupPathOf(container: Placed, driver: CgroupDriver): string {
  if (driver === 'cgroupfs') return cgroupsPathOf(container, driver)
  const stem = (parentOf(container) || defaultSlice).slice(0, -'.slice'.length)
  const words = stem.split('-')
  const slices = words.map((_, index) => `/${words.slice(0, index + 1).join('-')}.slice`)
  return `${slices.join('')}/berth-${container.id}.scope`
}

/** @throws `invalid` in Docker's words for a parent that this driver cannot use */
export function checkCgroupParent({ cgroupParent }: Pick<HostSettings, 'cgroupParent'>, driver: CgroupDriver): void {
  if (cgroupParent === '') return
  if (driver === 'systemd' && !/^[\w.@]+(-[\w.@]+)*\.slice$/.test(cgroupParent)) {
    throw invalid('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"')
  }
  if (cgroupParent.split('/').some((part) => part === '..' || part === '.')) {
    throw invalid(`invalid cgroup parent: ${cgroupParent}`)
  }
}

/** The container's own, else the daemon's when it was started; '': ours. */
function parentOf({ host, state }: Placed): string {
  return host.cgroupParent || (state.cgroupParent ?? '')
}
