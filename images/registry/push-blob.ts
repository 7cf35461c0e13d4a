import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { BerthError, dataLoss, isKind } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { EndpointSession } from './endpoint-session.ts'
import { readSpecError, type SpecError, toPushError } from './spec-error.ts'
import { isAuthenticationError } from './token.ts'
import { type RegistryResponse, resolveLocation } from './transport.ts'

type Blob = Pick<Descriptor, 'digest' | 'size'>

export interface BlobUpload {
  readonly blob: Blob
  /** Its bytes; stays the caller's. */
  readonly file: FileHandle
  /** An upload that a mount in vain has begun. */
  readonly begun?: URL | undefined
  /** Told after each piece: bytes so far. After a break they may go back. */
  readonly onProgress?: (bytes: number) => void
  /** Told when the upload has broken: how long until it is tried again. */
  readonly onRetry?: (inMs: number) => void
  readonly signal: AbortSignal
}

/** Hashing or copying a large blob keeps registries busy after the last byte. */
const commitTimeoutMs = 600_000
const readBytes = 256 << 10
/** To tidy up behind a failure nobody waits long. */
const cancelTimeoutMs = 2000

export async function hasBlob(session: EndpointSession, { digest }: Blob, signal: AbortSignal): Promise<boolean> {
  const response = await session.send({ method: 'HEAD', path: `blobs/${digest}`, signal })
  if (response.status !== 200 && response.status !== 404) throw toPushError(await readSpecError(response))
  await response.discard()
  return response.status === 200
}

/**
 * Asks the registry to take the blob over from another of its repositories.
 * @returns undefined when it did; else the upload that it offers instead, if any: cancel it or send the blob there
 */
export async function mountBlob(
  session: EndpointSession,
  { blob, from }: { readonly blob: Blob; readonly from: string },
  signal: AbortSignal,
): Promise<{ readonly begun: URL | undefined } | undefined> {
  const query = new URLSearchParams({ mount: blob.digest, from })
  try {
    const response = await session.send({ method: 'POST', path: `blobs/uploads/?${query}`, from, signal })
    await response.discard()
    if (response.status === 201) return undefined
    return { begun: response.status === 202 ? locationOf(session, response) : undefined }
  } catch (error) {
    // Whoever gets no token for the other repository may still write to this one.
    if (isAuthenticationError(error)) return { begun: undefined }
    throw error
  }
}

/**
 * Sends a blob: small ones in one request, larger ones in pieces. A connection that breaks is taken up where the registry says that it
 * stands; where it does not know the upload any more, from the start.   @throws in Docker's words; nothing stays at the registry then
 */
export async function uploadBlob(session: EndpointSession, upload: BlobUpload): Promise<void> {
  const { limits } = session.transport
  let at: Position | undefined = upload.begun && { location: upload.begun, offset: 0 }
  let broken: Position | undefined
  let pieceBytes = limits.uploadPieceBytes
  for (let failures = 0, reached = 0; ; ) {
    const sender = new Sender(session, upload, pieceBytes)
    try {
      if (broken) at = await resume(session, broken.location, upload)
      // The answer to the last request may be all that was lost.
      if (broken && !at && (await hasBlob(session, upload.blob, upload.signal))) return
      at ??= await sender.begin()
      await sender.send(at)
      return
    } catch (error) {
      const position: Position | undefined = sender.position ?? at ?? broken
      const reason = upload.signal.aborted ? undefined : breakOf(error, broken !== undefined)
      failures = (position?.offset ?? 0) > reached ? 1 : failures + 1
      reached = Math.max(reached, position?.offset ?? 0)
      if (!reason || failures >= limits.attempts) {
        await cancelUpload(session, position?.location)
        throw reason?.reason ?? error
      }
      const waitMs = session.transport.layerBackoffMs(failures)
      upload.onRetry?.(waitMs)
      await session.transport.sleep(waitMs, upload.signal)
      at = undefined
      broken = reason.isRefusal ? undefined : position
      if (!reason.isRefusal) continue
      pieceBytes = Number.POSITIVE_INFINITY
      await cancelUpload(session, position?.location)
    }
  }
}

/** @param isUnderway the registry has answered before: that it is gone may pass */
function breakOf(error: unknown, isUnderway: boolean): BrokenUpload | undefined {
  if (error instanceof BrokenUpload) return error
  const isGone = isUnderway && error instanceof BerthError && error.code === 'registry-unreachable'
  return isGone ? new BrokenUpload(error, false) : undefined
}

/** Takes back an upload that will not be finished; whether that works is the registry's business. */
export async function cancelUpload(session: EndpointSession, location: URL | undefined): Promise<void> {
  if (location === undefined) return
  const signal = AbortSignal.timeout(cancelTimeoutMs)
  try {
    const response = await session.send({ method: 'DELETE', path: location, attempts: 1, signal })
    await response.discard()
  } catch (error) {
    if (!(error instanceof BerthError)) throw error
  }
}

interface Position {
  readonly location: URL
  /** Bytes that the registry has. */
  readonly offset: number
}

/** The upload may go on, or be begun again. */
class BrokenUpload extends Error {
  readonly reason: Error
  /** By an answer, which may mean that the registry takes no pieces: it is begun again, in one request. */
  readonly isRefusal: boolean

  constructor(reason: Error, isRefusal: boolean) {
    super(reason.message, { cause: reason })
    this.reason = reason
    this.isRefusal = isRefusal
  }
}

/** One run through an upload, until it is whole or breaks. */
class Sender {
  readonly #session: EndpointSession
  readonly #upload: BlobUpload
  readonly #pieceBytes: number
  /** As of the last answer. */
  position: Position | undefined

  constructor(session: EndpointSession, upload: BlobUpload, pieceBytes: number) {
    this.#session = session
    this.#upload = upload
    this.#pieceBytes = pieceBytes
  }

  async begin(): Promise<Position> {
    const { signal } = this.#upload
    const response = await this.#session.send({ method: 'POST', path: 'blobs/uploads/', signal })
    if (response.status !== 202) throw toPushError(await readSpecError(response))
    await response.discard()
    return { location: locationOf(this.#session, response), offset: 0 }
  }

  async send(from: Position): Promise<void> {
    const { size } = this.#upload.blob
    let at = from
    this.position = at
    if (at.offset === 0 && size <= this.#pieceBytes) return await this.#finish(at)
    while (at.offset < size) {
      at = await this.#sendPiece(at, Math.min(size, at.offset + this.#pieceBytes))
      this.position = at
    }
    await this.#finish(at)
  }

  async #sendPiece({ location, offset }: Position, end: number): Promise<Position> {
    const response = await this.#request('PATCH', location, { offset, end })
    if (response.status !== 202 && response.status !== 204 && response.status !== 201) {
      throw await refusalOf(response, isRetryablePiece)
    }
    await response.discard()
    const reached = reachedBy(response)
    // Without a range the whole piece was taken.
    const next = reached === undefined || reached > end ? end : reached
    if (next <= offset) {
      throw new BrokenUpload(new BerthError('unavailable', 'the registry takes no more of the upload'), true)
    }
    return { location: locationOf(this.#session, response, location), offset: next }
  }

  /** Sends what is left, with the digest.   @see distribution-spec v1.1 "Pushing a blob monolithically" */
  async #finish({ location, offset }: Position): Promise<void> {
    const { blob } = this.#upload
    const target = new URL(location)
    target.searchParams.set('digest', blob.digest)
    const response = await this.#request('PUT', target, { offset, end: blob.size })
    if (response.status !== 201 && response.status !== 204) throw await refusalOf(response, isRetryable)
    await response.discard()
  }

  async #request(
    method: 'PATCH' | 'PUT',
    location: URL,
    { offset, end }: { offset: number; end: number },
  ): Promise<RegistryResponse> {
    const { file, signal, onProgress } = this.#upload
    const body = () => Readable.from(readRange(file, { offset, end }, onProgress))
    try {
      return await this.#session.send({
        method,
        path: location,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': `${end - offset}`,
          ...(method === 'PATCH' && { 'content-range': `${offset}-${end - 1}` }),
        },
        ...(end > offset && { body }),
        attempts: 1,
        ...(method === 'PUT' && { headersTimeoutMs: commitTimeoutMs }),
        signal,
      })
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error
      throw new BrokenUpload(error as Error, false)
    }
  }
}

async function refusalOf(response: RegistryResponse, isPassing: (error: SpecError) => boolean): Promise<Error> {
  const error = await readSpecError(response)
  const failure = toPushError(error)
  return isPassing(error) ? new BrokenUpload(failure, error.status < 500 && error.status !== 429) : failure
}

/** Not the file's own stream: destroying that one would close the file, which has to be read again. */
async function* readRange(
  file: FileHandle,
  { offset, end }: { readonly offset: number; readonly end: number },
  onProgress: BlobUpload['onProgress'],
): AsyncGenerator<Buffer> {
  for (let at = offset; at < end; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(readBytes, end - at)), { position: at })
    if (bytesRead === 0) throw dataLoss(`a blob to be pushed ends after ${at} of ${end} bytes`)
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
    onProgress?.(at)
  }
}

/** Where the registry stands, or undefined when it knows nothing of the upload any more. */
async function resume(
  session: EndpointSession,
  location: URL,
  { blob, signal }: BlobUpload,
): Promise<Position | undefined> {
  const response = await session.send({ method: 'GET', path: location, signal })
  await response.discard()
  if (response.status !== 204 && response.status !== 202) return undefined
  const offset = reachedBy(response) ?? 0
  return offset > blob.size ? undefined : { location: locationOf(session, response, location), offset }
}

/** `Range: 0-1023` means 1,024 bytes; `0-0` that there are none, since registries have no other way to say so. */
function reachedBy(response: RegistryResponse): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(response.header('range') ?? '')?.[1]
  if (last === undefined) return undefined
  return last === '0' ? 0 : Number(last) + 1
}

function locationOf(session: EndpointSession, response: RegistryResponse, fallback?: URL): URL {
  const location = response.header('location')
  if (location === undefined) {
    if (fallback) return fallback
    throw new BerthError('unavailable', `${new URL(response.url).host} begins an upload but does not say where`)
  }
  return resolveLocation(location, response.url, session.endpoint.verifyTls)
}

function isPassing(error: unknown): boolean {
  return isKind(error, 'unavailable') || isKind(error, 'timeout')
}

/** A registry has forgotten the upload, holds it at another place, or is too busy. */
function isRetryable({ status, code }: SpecError): boolean {
  return (
    status >= 500 ||
    status === 429 ||
    status === 416 ||
    code === 'BLOB_UPLOAD_UNKNOWN' ||
    code === 'BLOB_UPLOAD_INVALID'
  )
}

/** Also one that does not know what a piece is. */
function isRetryablePiece(error: SpecError): boolean {
  return isRetryable(error) || [400, 404, 405, 411, 501].includes(error.status)
}
