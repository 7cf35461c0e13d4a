import { deadline } from '#base/abort.ts'
import { dataLoss } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import type { EndpointSession } from './endpoint-session.ts'
import { readSpecError, toPushError } from './spec-error.ts'

export interface ManifestPush {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
  /** A tag or the digest itself. */
  readonly target: string
}

/** Makes a manifest or index known; what it points at must be there.   @throws `data-loss` when the registry kept other bytes */
export async function putManifest(
  session: EndpointSession,
  { descriptor, bytes, target }: ManifestPush,
  outer: AbortSignal,
): Promise<void> {
  using limit = deadline(session.transport.limits.documentTimeoutMs, `pushing manifest ${target}`, outer)
  const response = await session.send({
    method: 'PUT',
    path: `manifests/${target}`,
    headers: { 'content-type': descriptor.mediaType },
    body: bytes,
    signal: limit.signal,
  })
  if (response.status !== 201 && response.status !== 200) throw toPushError(await readSpecError(response))
  await response.discard()
  const kept = response.header('docker-content-digest')
  if (kept !== undefined && kept !== descriptor.digest) {
    throw dataLoss(`the registry keeps manifest ${descriptor.digest} as ${kept.slice(0, 100)}`, {
      code: 'manifest-digest',
    })
  }
}
