import type { Readable } from 'node:stream'
import { formatGoDuration } from '#base/quantity.ts'

/** What one probe found. */
export interface ProbeAnswer {
  /** 0: healthy. */
  readonly exitCode: number
  readonly output: string
}

/** Bytes of a probe's output that are kept. */
export const outputLimit = 4096
const cutMark = '...'

/** Collects the beginning of what a probe says; the rest is read and dropped. */
export class ProbeOutput {
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #isCut = false

  constructor(stream: Readable) {
    stream.on('data', (chunk: Buffer) => this.#add(chunk))
  }

  /** Bytes that are no UTF-8 are replaced. Docker puts three dots where it cuts. */
  get text(): string {
    return `${Buffer.concat(this.#chunks).toString('utf8')}${this.#isCut ? cutMark : ''}`
  }

  #add(chunk: Buffer): void {
    const kept = chunk.subarray(0, outputLimit - this.#bytes)
    this.#isCut ||= kept.length < chunk.length
    if (kept.length === 0) return
    this.#bytes += kept.length
    // A copy: a view would keep the whole of what was read.
    this.#chunks.push(Buffer.from(kept))
  }
}

/** The same for what is there as a whole. */
export function boundedText(output: Buffer): string {
  const text = output.subarray(0, outputLimit).toString('utf8')
  return output.length > outputLimit ? `${text}${cutMark}` : text
}

export function timeoutText(timeoutMs: number, output: string): string {
  const text = `Health check exceeded timeout (${formatGoDuration(timeoutMs)})`
  return output === '' ? text : `${text}: ${output}`
}
