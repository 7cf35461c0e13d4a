import { BerthError, dataLoss } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { Reference } from '#oci/reference.ts'
import type { Ingest } from '../content/ingest.ts'
import type { EndpointSession } from './endpoint-session.ts'
import { readSpecError, toPullError } from './spec-error.ts'
import type { RegistryResponse } from './transport.ts'
import { toTransportError } from './transport-error.ts'

/** Where bytes go, in order. */
export type BlobSink = Pick<Ingest, 'size' | 'write' | 'restart'>

export interface BlobFetch {
  readonly reference: Reference
  readonly descriptor: Descriptor
  readonly ingest: BlobSink
  /** Told after each piece: bytes so far. */
  readonly onProgress?: (bytes: number) => void
  /** Told when the connection has broken: how long until it is tried again. */
  readonly onRetry?: (inMs: number) => void
  readonly signal: AbortSignal
}

/**
 * Writes a blob into the ingest, which the caller commits. A connection that breaks is taken up where it broke, by a Range request;
 * a registry that ignores the range sends all of it again.   @throws `data-loss` as soon as the size cannot be right
 */
export async function fetchBlob(session: EndpointSession, fetch: BlobFetch): Promise<void> {
  const { ingest, signal } = fetch
  for (let failures = 0; ; ) {
    const before = ingest.size
    const broken = await fetchRest(session, fetch)
    if (!broken) return
    failures = ingest.size >= before + minBytesPerWindow ? 1 : failures + 1
    const { limits } = session.transport
    if (failures >= limits.attempts) throw toFailure(broken)
    const waitMs = session.transport.layerBackoffMs(failures)
    fetch.onRetry?.(waitMs)
    await session.transport.sleep(waitMs, signal)
  }
}

interface Break {
  readonly cause: unknown
  readonly url: string
}

/** Undefined when the blob is whole, else what broke the connection. */
async function fetchRest(session: EndpointSession, fetch: BlobFetch): Promise<Break | undefined> {
  const { reference, descriptor, ingest, signal } = fetch
  const from = ingest.size
  if (from === descriptor.size && from > 0) return undefined
  const path = `blobs/${descriptor.digest}`
  const headers = { accept: '*/*', 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) }
  let response: RegistryResponse
  try {
    response = await session.send({ method: 'GET', path, headers, signal })
  } catch (cause) {
    const isGone = cause instanceof BerthError && cause.code === 'registry-unreachable'
    if (!isGone || !session.hasAnswered || session.endpoint.mirrorOf) throw cause
    return { cause, url: session.endpoint.base }
  }
  if (response.status !== 200 && response.status !== 206) {
    throw toPullError(await readSpecError(response), response, reference)
  }
  if (from > 0 && !continuesAt(from, response.header('content-range'))) {
    await ingest.restart()
    if (response.status === 206) {
      response.body.destroy()
      return { cause: new Error('the registry sent another range'), url: response.url }
    }
  }
  const announced = response.header('content-length')
  if (announced !== undefined && ingest.size + Number(announced) !== descriptor.size) {
    response.body.destroy()
    throw dataLoss(
      `${descriptor.digest} has ${ingest.size + Number(announced)} bytes at the registry where its manifest says ${descriptor.size}`,
      { code: 'blob-size' },
    )
  }
  return await takeBody(response, fetch, new Pace(session.transport.limits.stallTimeoutMs))
}

function toFailure({ cause, url }: Break): BerthError {
  return cause instanceof BerthError ? cause : toTransportError(cause, { method: 'GET', url })
}

async function takeBody(
  response: RegistryResponse,
  { descriptor, ingest, onProgress, signal }: BlobFetch,
  pace: Pace,
): Promise<Break | undefined> {
  let isWriting = false
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      pace.check(chunk.length)
      if (ingest.size + chunk.length > descriptor.size) throw tooLong(descriptor)
      isWriting = true
      await ingest.write(chunk)
      isWriting = false
      onProgress?.(ingest.size)
    }
  } catch (cause) {
    // Only the connection is worth another attempt: what our own disk says is said.
    if (signal.aborted || isWriting || cause instanceof BerthError) throw cause
    return { cause, url: response.url }
  }
  if (ingest.size === descriptor.size) return undefined
  return { cause: new Error(`unexpected EOF after ${ingest.size} of ${descriptor.size} bytes`), url: response.url }
}

/** Less than this between two looks is no progress but somebody who holds us. */
const minBytesPerWindow = 16 << 10

/** Throws when the bytes come too slowly: single ones keep a connection from ever being idle. */
class Pace {
  readonly #windowMs: number
  #windowEnd: number
  #bytes = 0

  constructor(windowMs: number) {
    this.#windowMs = windowMs
    this.#windowEnd = performance.now() + windowMs
  }

  check(bytes: number): void {
    this.#bytes += bytes
    if (performance.now() < this.#windowEnd) return
    if (this.#bytes < minBytesPerWindow) throw new Error(`only ${this.#bytes} bytes came in ${this.#windowMs} ms`)
    this.#windowEnd = performance.now() + this.#windowMs
    this.#bytes = 0
  }
}

function tooLong({ digest, size }: Descriptor): Error {
  return dataLoss(`${digest} has more than the ${size} bytes that its manifest says`, { code: 'blob-size' })
}

function continuesAt(from: number, range: string | undefined): boolean {
  return Number(/^bytes (\d+)-/.exec(range ?? '')?.[1] ?? Number.NaN) === from
}
