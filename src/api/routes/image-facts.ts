import { isKind } from '#base/errors.ts'
import type { Container } from '#containers/container.ts'
import type { Engine } from '#engine/engine.ts'
import type { Image } from '#images/store/image.ts'
import type { ImageFacts } from '../present/container.ts'

/** What the image store knows of containers' images, asked once for each; images may be gone, and names may have moved on. */
export function imageFactsReader({ images }: Engine): (container: Container) => ImageFacts {
  const found = new Map<string, Image | undefined>()
  const find = (name: string) => found.getOrInsertComputed(name, () => findImage(images, name))
  return ({ imageId, config }) => ({
    manifest: find(imageId)?.manifest,
    nameIsCurrent: find(config.image)?.id === imageId,
  })
}

function findImage(images: Engine['images'], name: string): Image | undefined {
  try {
    return images.get(name)
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'invalid') || isKind(error, 'conflict')) return undefined
    throw error
  }
}
