import { PassThrough, type Readable } from 'node:stream'
import { cancelled } from '#base/errors.ts'

/**
 * Gives the work what comes out of a stream, in one that may be destroyed without it: a request that we stop reading still wants its answer.
 * @param what names the source in errors   @throws the source's own error, before what the work made of it; `cancelled` when it just closed
 */
export async function tapped<T>(source: Readable, what: string, work: (stream: Readable) => Promise<T>): Promise<T> {
  const stream = new PassThrough({ highWaterMark: 1 << 20 })
  let failure: Error | undefined
  const fail = (error: Error) => {
    failure ??= error
    stream.destroy(error)
  }
  const close = () => {
    if (!source.readableEnded) fail(cancelled(`${what} ended before it was whole`))
  }
  // The work may not listen yet; the failure is told at its end.
  stream.on('error', () => undefined)
  source.on('error', fail).on('close', close).pipe(stream)
  if (source.destroyed) close()
  try {
    const result = await work(stream)
    if (failure) throw failure
    return result
  } catch (error) {
    throw failure ?? error
  } finally {
    source.off('error', fail).off('close', close).unpipe(stream)
  }
}
