import { internal } from '#base/errors.ts'

export interface Frame {
  /** 1 is standard output, 2 standard error. */
  readonly stream: 1 | 2
  readonly payload: Buffer
}

/**
 * Takes apart Docker's multiplexed streams: eight bytes of header (stream, three zeros, length), then the payload.
 * Payloads come out as they arrive, also in parts; nothing is kept but a header that was cut.
 */
export class FrameDecoder {
  #header = Buffer.alloc(0)
  #stream = 0
  #left = 0

  /** @throws `internal` when the engine reports an error in the stream, or when it is not such a stream */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#left === 0) {
        const wanted = 8 - this.#header.length
        this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + wanted)])
        at += wanted
        if (this.#header.length < 8) break
        this.#stream = this.#header[0] ?? 0
        this.#left = this.#header.readUInt32BE(4)
        this.#header = Buffer.alloc(0)
        continue
      }
      const payload = chunk.subarray(at, at + this.#left)
      at += payload.length
      this.#left -= payload.length
      if (this.#stream === 3) throw internal(`error from daemon in stream: ${payload.toString().trim()}`)
      if (this.#stream > 3) throw internal(`Unrecognized input header: ${this.#stream}`)
      frames.push({ stream: this.#stream === 2 ? 2 : 1, payload })
    }
    return frames
  }
}

/** Neighbours of one stream as one: a log has a frame for every line, and a write for each would cost more than the copying. */
export function mergeFrames(frames: readonly Frame[]): Frame[] {
  const merged: Frame[] = []
  for (let at = 0; at < frames.length; ) {
    const stream = frames[at]?.stream ?? 1
    const from = at
    while (frames[at]?.stream === stream) at += 1
    const payloads = frames.slice(from, at).map(({ payload }) => payload)
    merged.push({ stream, payload: Buffer.concat(payloads) })
  }
  return merged
}
