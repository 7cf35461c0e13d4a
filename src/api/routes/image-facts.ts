import { isKind } from '#base/errors.ts'
import type { Container } from '#containers/container.ts'
import type { Engine } from '#engine/engine.ts'
import type { ImageFacts } from '../present/container.ts'

/** What the image store knows of a container's image; images may be gone, and names may have moved on. */
export function imageFactsOf({ images }: Engine, { imageId, config }: Container): ImageFacts {
  const find = (name: string) => {
    try {
      return images.get(name)
    } catch (error) {
      if (isKind(error, 'not-found') || isKind(error, 'invalid') || isKind(error, 'conflict')) return undefined
      throw error
    }
  }
  return { manifest: find(imageId)?.manifest, nameIsCurrent: find(config.image)?.id === imageId }
}
