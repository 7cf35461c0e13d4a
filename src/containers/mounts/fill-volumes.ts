import { readdir } from 'node:fs/promises'
import { internal } from '#base/errors.ts'
import type { MountPoint } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import type { RootfsMounts } from '../ports.ts'
import { LayerView } from '../spec/layer-view.ts'

interface Request {
  readonly id: string
  readonly points: readonly MountPoint[]
  /** Targets whose volumes stay empty. */
  readonly noCopy: ReadonlySet<string>
  /** The container's layers, which nothing has changed yet. */
  readonly rootfs: RootfsMounts
  readonly signal: AbortSignal
}

/**
 * Gives each new volume what the image has at its place, with owners, modes and attributes. The layers are stacked by reading, links are
 * followed inside the root alone, and a confined child copies: no path of the image leads to the host.
 * @throws `internal` in Docker's words where a file stands in the place of a declared volume
 */
export async function fillVolumes(context: ContainerContext, request: Request): Promise<void> {
  const view = new LayerView(request.rootfs, context.layerMarks)
  for (const point of request.points) {
    if (point.type !== 'volume' || point.origin === 'other-container') continue
    const found = view.find(point.target)
    if (point.origin === 'volumes' && found?.kind === 'other') {
      throw internal(`cannot mount volume over existing file, file exists ${found.path}`)
    }
    if (found?.kind !== 'directory' || request.noCopy.has(point.target) || point.subpath !== '') continue
    await fillOne(context, { id: request.id, point, layers: found.layers, signal: request.signal })
  }
}

interface Fill {
  readonly id: string
  readonly point: MountPoint
  readonly layers: readonly string[]
  readonly signal: AbortSignal
}

async function fillOne(context: ContainerContext, { id, point, layers, signal }: Fill): Promise<void> {
  // Of two containers that are made with the same new volume, one fills it.
  using _filling = await context.locks.acquire(`fill ${point.name}`, signal)
  const directory = await context.volumes.mount(point.name, id)
  try {
    if ((await readdir(directory)).length > 0) return
    await context.rootfs.copy(layers, directory, signal)
  } finally {
    await context.volumes.unmount(point.name, id)
  }
}
