import { isKind, messageOf } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { isIndexType, isManifestType } from '#oci/media-types.ts'
import { familiarName, parseReference, type Reference } from '#oci/reference.ts'
import { openRepository } from '../registry/client.ts'
import type { StoredImage } from '../store/image-store.ts'
import { commitBytes, storeBlob } from '../transfer/fetch-content.ts'
import type { CheckPorts } from './check-ports.ts'

/** Fetches a blob from the repositories that its images came from, without credentials.
 *  @returns undefined when it is here again, else why not */
export async function refetch(
  ports: CheckPorts,
  rows: readonly StoredImage[],
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<string | undefined> {
  let failure = 'it did not come from a registry'
  for (const reference of repositoriesOf(ports, rows)) {
    try {
      await fetchFrom(ports, reference, descriptor, signal)
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      failure = wordsOf(error, reference)
    }
  }
  return failure
}

function wordsOf(error: unknown, reference: Reference): string {
  if (!isKind(error, 'unauthorized') && !isKind(error, 'forbidden')) return messageOf(error)
  const name = familiarName(reference)
  return `${name} asks for a login, which a repair does not have: pull ${name} again (${messageOf(error)})`
}

function repositoriesOf({ store }: CheckPorts, rows: readonly StoredImage[]): Reference[] {
  const references = rows.flatMap(({ id }) => store.referencesOf(id)).filter(({ kind }) => kind === 'digest')
  const names = new Map(references.map(({ name }) => [name.split('@')[0], parseReference(name)]))
  return [...names.values()]
}

async function fetchFrom(
  { content, registries, transportLimits }: CheckPorts,
  reference: Reference,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  await using repository = await openRepository({
    reference,
    config: registries,
    auth: undefined,
    ...(transportLimits && { limits: transportLimits }),
  })
  if (isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)) {
    await commitBytes(content, descriptor, await repository.readManifest(descriptor, signal))
  } else {
    await storeBlob(content, repository, { descriptor, signal })
  }
}
