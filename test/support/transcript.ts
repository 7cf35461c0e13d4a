import type { Readable } from 'node:stream'
import { waitFor } from './wait-for.ts'

/** Everything that a stream has said so far. */
export class Transcript {
  #text = ''
  readonly ended: Promise<void>

  constructor(stream: Readable) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    stream.on('data', (chunk) => {
      this.#text += String(chunk)
    })
    stream.on('end', resolve)
    stream.on('close', resolve)
    stream.on('error', () => resolve())
  }

  get text(): string {
    return this.#text
  }

  async until(expected: string): Promise<void> {
    await waitFor(`'${expected}' in what was said`, () => this.#text.includes(expected)).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; so far: ${JSON.stringify(this.#text)}`)
    })
  }
}
