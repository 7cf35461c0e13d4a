import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { buildImage } from '../../support/base-image.ts'
import { seedRegistry } from '../../support/registry.ts'
import { type TarEntry, tar } from '../../support/tar.ts'

/** The images by what they ask of an engine. */
export const images = { 'small-files': smallFiles, 'large-layer': largeLayer } as const

export type ImageName = keyof typeof images

/** Makes a registry's storage with the images, which takes half a minute, unless an earlier run left it there. */
export async function seedImages(storage: string): Promise<void> {
  if (existsSync(storage)) return
  const temporary = `${storage}.${process.pid}`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(dirname(storage), { recursive: true })
  const built = Object.entries(images).map(([name, layers]) => [`${name}:latest`, buildImage({ layers: layers() })])
  await seedRegistry(temporary, Object.fromEntries(built))
  await rename(temporary, storage)
}

/** 20,000 files of 5 kB in 5 layers of 40 directories. */
function smallFiles(): Buffer[] {
  const bytes = new HalfCompressible(1)
  return [0, 1, 2, 3, 4].map((layer) => {
    const entries: TarEntry[] = []
    for (let directory = 0; directory < 40; directory += 1) {
      const path = `srv/${layer}/${directory}/`
      entries.push({ name: path })
      for (let file = 0; file < 100; file += 1) entries.push({ name: `${path}${file}`, content: bytes.take(5000) })
    }
    return tar(entries)
  })
}

/** 400 files of 1 MB in one layer. */
function largeLayer(): Buffer[] {
  const bytes = new HalfCompressible(2)
  const names = Array.from({ length: 400 }, (_, index) => `srv/${index}`)
  return [tar([{ name: 'srv/' }, ...names.map((name) => ({ name, content: bytes.take(1_000_000) }))])]
}

/** The same bytes in every run: one half words of a small language, the other noise, in turns of 2 kB. */
class HalfCompressible {
  #state: number
  readonly #words: string[] = []

  constructor(seed: number) {
    this.#state = seed
    for (let index = 0; index < 2000; index += 1) {
      const letters = Array.from({ length: 3 + (this.#next() % 7) }, () => 97 + (this.#next() % 26))
      this.#words.push(String.fromCharCode(...letters))
    }
  }

  take(size: number): Buffer {
    const bytes = Buffer.alloc(size)
    for (let at = 0; at < size; at += 2048) {
      if ((at / 2048) % 2 === 1) {
        const end = Math.min(at + 2048, size)
        for (let index = at; index < end; index += 1) bytes[index] = this.#next() >>> 24
        continue
      }
      let text = ''
      while (text.length < 2048) text += `${this.#words[this.#next() % this.#words.length]} `
      bytes.write(text.slice(0, 2048), at, 'latin1')
    }
    return bytes
  }

  /** A 32-bit number. @see Marsaglia, Xorshift RNGs (2003) */
  #next(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return this.#state >>> 0
  }
}
