import { Transform } from 'node:stream'
import { tooLarge } from './errors.ts'

/** Passes bytes on and fails with `too-large` as soon as more than `limit` have come. */
export function limitBytes(limit: number, what: string): Transform {
  let seen = 0
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      seen += chunk.byteLength
      if (seen > limit) done(tooLarge(`${what} is larger than ${limit} bytes`))
      else done(null, chunk)
    },
  })
}

/** Reads a whole stream of bounded size.   @throws `too-large` */
export async function readAll(source: AsyncIterable<Uint8Array>, limit: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge(`${what} is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
