import { invalid, isKind } from '#base/errors.ts'
import { clean } from '../clean-path.ts'
import type { Container, ContainerConfig, HostSettings, MountPoint, MountSetting } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import type { ImageMounts } from './image-mounts.ts'
import { toBindMount, toPlainMount } from './plain-mount.ts'
import { parseVolumesFrom } from './volumes-from.ts'

interface Request {
  readonly id: string
  readonly config: ContainerConfig
  readonly host: HostSettings
  readonly images: ImageMounts
}

const plain = {
  readonly: false,
  propagation: '',
  nonRecursive: false,
  readonlyBelow: 'if-possible',
  subpath: '',
  tmpfsSizeBytes: undefined,
  tmpfsMode: undefined,
  tmpfsOptions: undefined,
  createSource: false,
} as const

/**
 * Everything that the container is to have mounted, by Docker's precedence: of other containers, then what was asked for, then the volumes
 * that it or its image declares where nothing is yet. Volumes that are not there are made, and held for the container.
 * @throws `not-found`, `invalid`, `conflict` in Docker's words
 */
export async function openMountPoints(context: ContainerContext, request: Request): Promise<MountPoint[]> {
  const { config, host } = request
  const points = new Map<string, MountPoint>()
  const put = (point: MountPoint) => points.set(clean(point.target), point)
  for (const point of await ofOtherContainers(context, request)) put(point)
  for (const setting of host.mounts) {
    const isCovered =
      setting.origin === 'tmpfs' && host.mounts.some((one) => one.origin === 'mounts' && isSame(one, setting))
    if (!isCovered) put(await openOne(context, request, setting))
  }
  for (const target of config.volumes) {
    if (target === '' || points.has(clean(target))) continue
    put(await openDeclared(context, request, target))
  }
  return [...points.values()]
}

async function ofOtherContainers({ store, volumes }: ContainerContext, { id, host }: Request): Promise<MountPoint[]> {
  const points: MountPoint[] = host.volumesFrom.map(parseVolumesFrom).flatMap(({ name, readonly }) =>
    getOther(store, name)
      .mounts.filter(({ origin }) => origin !== 'tmpfs')
      .map((point) => ({
        ...point,
        mode: undefined,
        readonly: point.readonly || readonly,
        origin: 'other-container' as const,
      })),
  )
  for (const { type, name, driver } of points) {
    // The other container may go before this one is on record.
    if (type === 'volume') await volumes.acquire({ name, driver, options: undefined, labels: undefined }, id)
  }
  return points
}

/** No `not-found`: clients take that for a missing image, and pull it. */
function getOther(store: ContainerContext['store'], name: string): Container {
  try {
    return store.get(name)
  } catch (error) {
    if (isKind(error, 'not-found')) throw invalid(error.message, { cause: error })
    throw error
  }
}

async function openOne(context: ContainerContext, request: Request, setting: MountSetting): Promise<MountPoint> {
  const { asked: _, volume, ...kept } = setting
  switch (setting.type) {
    case 'bind':
      return toBindMount(setting, context.paths.dataRoot)
    case 'tmpfs':
      return toPlainMount(setting)
    case 'image':
      return await request.images.open(kept)
    case 'volume': {
      const { driver = '', options, labels } = volume ?? {}
      const asked = { name: setting.source, driver: driver || request.host.volumeDriver, options, labels }
      const opened = await openVolume(context, request.id, asked)
      // Docker has local volumes share their label of SELinux unless something else is said.
      const mode = setting.mode ?? (opened.driver === 'local' ? 'z' : undefined)
      return { ...kept, ...opened, mode, anonymous: setting.source === '' }
    }
  }
}

async function openVolume(
  { volumes }: ContainerContext,
  containerId: string,
  asked: Parameters<ContainerContext['volumes']['acquire']>[0],
): Promise<Pick<MountPoint, 'name' | 'driver' | 'source'>> {
  const { volume, mountpoint } = await volumes.acquire(asked, containerId)
  return { name: volume.name, driver: volume.driver, source: mountpoint }
}

async function openDeclared(context: ContainerContext, { id, host }: Request, target: string): Promise<MountPoint> {
  const asked = { name: '', driver: host.volumeDriver, options: undefined, labels: undefined }
  const opened = await openVolume(context, id, asked)
  return { ...plain, ...opened, type: 'volume', target, mode: undefined, anonymous: true, origin: 'volumes' }
}

function isSame(a: MountSetting, b: MountSetting): boolean {
  return clean(a.target) === clean(b.target)
}

/** What a container has with a volume of its own behind it. */
export function volumePointsOf({ mounts }: Pick<Container, 'mounts'>): MountPoint[] {
  return mounts.filter(({ type }) => type === 'volume')
}
