import { buildImage, type TestImage } from '../../support/base-image.ts'
import { ociArchive } from '../../support/oci-archive.ts'
import { tar } from '../../support/tar.ts'
import { random } from '../random.ts'

export const imageCount = 6

export interface PowercutImage {
  readonly image: TestImage
  /** Every file of it. */
  readonly files: readonly LayerFile[]
}

export interface LayerFile {
  readonly name: string
  readonly content: Buffer
}

/** Two stacks of layers with many small files and a large one. */
export function powercutImages(): PowercutImage[] {
  const next = random(1)
  const file = (name: string, size: number): LayerFile => ({
    name,
    content: Buffer.from(Uint8Array.from({ length: size }, () => next() * 256)),
  })
  const layer = (name: string) => [
    ...Array.from({ length: 60 }, (_, n) => file(`${name}/small${n}`, 700)),
    file(`${name}/large`, 200_000),
  ]
  const stacks = [0, 1].map((n) => [0, 1, 2].map((height) => layer(`stack${n}-${height}`)))
  return Array.from({ length: imageCount }, (_, n) => {
    const layers = [...(stacks[n % 2]?.slice(0, 1 + (n % 3)) ?? []), layer(`own${n}`)]
    return { image: buildImage({ layers: layers.map((files) => tar(files)), author: `${n}` }), files: layers.flat() }
  })
}

/** What `docker load` takes, under the name of the n-th image of the registry. */
export function archiveOf({ image }: PowercutImage, name: string): Buffer {
  return ociArchive(image, { 'org.opencontainers.image.ref.name': name })
}

/** What a container is to write before it is committed. */
export function committedFile(number: number): LayerFile {
  const next = random(number)
  const content = Buffer.from(Uint8Array.from({ length: 1 + next() * 100_000 }, () => next() * 256))
  return { name: `committed${number}`, content }
}
