import { join } from 'node:path'
import { invalid, notFound } from '#base/errors.ts'
import type { MountPoint, MountSetting } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import type { RootfsMounts } from '../ports.ts'
import { LayerView } from '../spec/layer-view.ts'

/** Images that a container has mounted: a read-only look at the layers of each, held by a snapshot as long as the container is there. */
export class ImageMounts {
  readonly #context: ContainerContext
  readonly #containerId: string
  readonly #opened: string[] = []

  constructor(context: ContainerContext, containerId: string) {
    this.#context = context
    this.#containerId = containerId
  }

  /** @throws `not-found` for the image */
  async open(setting: Omit<MountSetting, 'asked' | 'volume'>): Promise<MountPoint> {
    const { images, snapshots } = this.#context
    const { chainId } = images.getForContainer(setting.source)
    if (chainId === undefined) throw invalid(`the image ${setting.source} has no layers to mount`)
    const key = imageMountKey(this.#containerId, setting.target)
    this.#opened.push(key)
    const { path } = await snapshots.view(key, chainId)
    return {
      ...setting,
      name: setting.source,
      source: path,
      driver: '',
      anonymous: false,
      readonly: true,
      propagation: 'rprivate',
    }
  }

  /** The container is not made after all. */
  async undo(): Promise<void> {
    for (const key of this.#opened) await this.#context.snapshots.remove(key)
  }
}

/** The key of the snapshot behind an image that the container has mounted there. */
export function imageMountKey(containerId: string, target: string): string {
  return `${containerId}-image:${target}`
}

/**
 * The directories (or the one file) that make up a mounted image, or a part of it, topmost first.
 * @throws `not-found`, `invalid` in Docker's words for a subpath that is not there
 */
export function layersOfImageMount(
  { snapshots, layerMarks }: Pick<ContainerContext, 'snapshots' | 'layerMarks'>,
  containerId: string,
  { target, subpath }: Pick<MountPoint, 'target' | 'subpath'>,
): readonly string[] {
  const mounts = snapshots.mounts(imageMountKey(containerId, target))
  if (subpath === '') return layersOf(mounts)
  const found = new LayerView(mounts, layerMarks).find(subpath)
  if (found === undefined) {
    const path = join(mounts.path, subpath)
    throw notFound(`cannot access path ${path}: lstat ${path}: no such file or directory`)
  }
  return found.kind === 'directory' ? found.layers : [found.path]
}

function layersOf({ kind, path, lower }: RootfsMounts): readonly string[] {
  return kind === 'directory' ? [path] : lower
}
