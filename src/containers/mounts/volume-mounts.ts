import { lstat, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { invalid, messageOf, notFound, systemCode } from '#base/errors.ts'
import type { Container, MountPoint } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import { volumePointsOf } from './mount-points.ts'

/** Where the data of a starting container's volumes is, by target. */
export type VolumeSources = ReadonlyMap<string, string>

/** Mounts the volumes of a container that starts. When one fails, those before it stay for `unmountVolumes`.   @throws what the driver says */
export async function mountVolumes(context: ContainerContext, container: Container): Promise<VolumeSources> {
  const sources = new Map<string, string>()
  const mounted = new Map<string, string>()
  for (const point of volumePointsOf(container)) {
    // One holder mounts once, at however many places it has the volume.
    const path = mounted.get(point.name) ?? (await context.volumes.mount(point.name, container.id))
    mounted.set(point.name, path)
    sources.set(point.target, path)
    if (point.subpath !== '') await checkSubpath(path, point.subpath)
    tell(context, container, point, 'mount')
  }
  return sources
}

/** Lets go of the volumes of a container that has ended, or did not start. Doing it again is nothing. */
export async function unmountVolumes(context: ContainerContext, container: Container): Promise<void> {
  const points = volumePointsOf(container)
  for (const [index, point] of points.entries()) {
    const isFirst = points.findIndex(({ name }) => name === point.name) === index
    try {
      if (isFirst) await context.volumes.unmount(point.name, container.id)
      tell(context, container, point, 'unmount')
    } catch (error) {
      // The others are unmounted all the same, and the end of a container does not depend on a plugin.
      context.log.warn(
        { container: container.id, volume: point.name, error: messageOf(error) },
        'a volume is not unmounted',
      )
    }
  }
}

function tell(
  { events }: ContainerContext,
  { id: container }: Container,
  { name, driver, target, readonly, propagation }: MountPoint,
  action: 'mount' | 'unmount',
): void {
  const details = { destination: target, propagation, 'read/write': String(!readonly) }
  const attributes = { container, driver, ...(action === 'mount' && details) }
  events.publish({ type: 'volume', action, actor: { id: name, attributes } })
}

/** For its words alone, Docker's: what is mounted the runtime opens beneath the volume, whatever stands there by then.   @throws `not-found`, `invalid` */
async function checkSubpath(base: string, subpath: string): Promise<void> {
  const path = join(base, subpath)
  try {
    await lstat(path)
    const [inside, outside] = await Promise.all([realpath(path), realpath(base)])
    if (inside !== outside && !inside.startsWith(outside + sep)) {
      throw invalid(`path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`)
    }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw notFound(`cannot access path ${path}: lstat ${path}: no such file or directory`, { cause: error })
  }
}
