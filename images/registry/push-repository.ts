import { invalid } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { RepositoryRequest } from './client.ts'
import { credentialsOf } from './credentials.ts'
import { EndpointSession } from './endpoint-session.ts'
import { originsOf } from './endpoints.ts'
import { type BlobUpload, cancelUpload, hasBlob, mountBlob, uploadBlob } from './push-blob.ts'
import { type ManifestPush, putManifest } from './push-manifest.ts'
import { Transport } from './transport.ts'
import { isUnreachable } from './transport-error.ts'

/**
 * Opens the write side of a repository at its registry, never at a mirror. TLS is tried before plain HTTP where both are allowed.
 * Dispose it to close its connections.   @throws `unavailable` when nobody answers
 */
export async function openPushRepository(request: RepositoryRequest, signal: AbortSignal): Promise<PushRepository> {
  await using opened = new AsyncDisposableStack()
  const transport = opened.use(new Transport({ limits: request.limits, proxies: request.config.proxies }))
  const endpoints = await originsOf(request.reference.domain, request.config)
  const sessions = endpoints.map(
    (one) => new EndpointSession(transport, one, request.reference, credentialsOf(request.auth), 'pull,push'),
  )
  const session = await firstAnswering(sessions, signal)
  opened.move()
  return new PushRepository(transport, session)
}

async function firstAnswering(sessions: readonly EndpointSession[], signal: AbortSignal): Promise<EndpointSession> {
  for (const [index, session] of sessions.entries()) {
    try {
      await session.ping(signal)
      return session
    } catch (error) {
      if (index === sessions.length - 1 || !isUnreachable(error)) throw error
    }
  }
  throw invalid('no endpoint is known for this registry')
}

/** One repository that is written to. */
export class PushRepository implements AsyncDisposable {
  readonly #transport: Transport
  readonly #session: EndpointSession

  constructor(transport: Transport, session: EndpointSession) {
    this.#transport = transport
    this.#session = session
  }

  async hasBlob(blob: Pick<Descriptor, 'digest' | 'size'>, signal: AbortSignal): Promise<boolean> {
    return await hasBlob(this.#session, blob, signal)
  }

  /** @returns the path of the repository that gave the blob, or the upload that was begun instead of giving it, if any */
  async mountBlob(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    candidates: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly from: string } | { readonly begun: URL | undefined }> {
    let begun: URL | undefined
    for (const from of candidates) {
      await cancelUpload(this.#session, begun)
      const refused = await mountBlob(this.#session, { blob, from }, signal)
      if (!refused) return { from }
      begun = refused.begun
    }
    return { begun }
  }

  async uploadBlob(upload: BlobUpload): Promise<void> {
    await uploadBlob(this.#session, upload)
  }

  async cancelUpload(begun: URL | undefined): Promise<void> {
    await cancelUpload(this.#session, begun)
  }

  async putManifest(push: ManifestPush, signal: AbortSignal): Promise<void> {
    await putManifest(this.#session, push, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }
}
