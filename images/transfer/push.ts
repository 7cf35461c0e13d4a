import { invalid, notFound } from '#base/errors.ts'
import { familiarName, familiarReference, formatReference, parseReference, type Reference } from '#oci/reference.ts'
import { openPushRepository } from '../registry/push-repository.ts'
import type { RegistryConfig } from '../registry/registry-config.ts'
import type { TransportLimits } from '../registry/transport.ts'
import { inPlainWords } from '../registry/transport-error.ts'
import type { ImageKey } from '../store/image-store.ts'
import type { EventSink } from '../store/ports.ts'
import { labelsOf } from '../store/read-image.ts'
import type { PushProgress, PushRequest } from './progress.ts'
import type { ProgressFeed } from './progress-feed.ts'
import { type PushImagePorts, pushImage } from './push-image.ts'
import { type RunningTransfer, startTransfer } from './running-transfer.ts'

export interface PushPorts extends PushImagePorts {
  readonly registries: RegistryConfig
  readonly transportLimits?: Partial<TransportLimits>
  readonly events: EventSink
}

/** Begins to push one tag, or all tags of a repository. */
export function push(ports: PushPorts, request: PushRequest, signal: AbortSignal): RunningTransfer<PushProgress> {
  return startTransfer<PushProgress>(signal, async (feed, ended) => {
    try {
      await pushTags(ports, request, { feed, signal: ended })
    } catch (error) {
      throw inPlainWords(error)
    }
  })
}

interface TagToPush {
  readonly reference: Reference & { readonly tag: string }
  readonly key: ImageKey
}

async function pushTags(
  ports: PushPorts,
  { reference, platform, auth }: PushRequest,
  { feed, signal }: { readonly feed: ProgressFeed<PushProgress>; readonly signal: AbortSignal },
): Promise<void> {
  const { domain, path } = reference
  feed.push({ status: `The push refers to repository [${formatReference({ domain, path })}]` })
  const tags = tagsOf(ports, reference)
  const { registries: config, transportLimits: limits } = ports
  await using repository = await openPushRepository({ reference, config, auth, ...(limits && { limits }) }, signal)
  const report = (progress: PushProgress) => feed.push(progress)
  for (const tag of tags)
    await pushImage(ports, { ...tag, repository, isWhole: platform === undefined, report, signal })
  tell(ports, reference)
}

/** @throws `not-found` and `invalid` in Docker's words */
function tagsOf({ store }: PushPorts, reference: Reference): TagToPush[] {
  const { domain, path, tag, digest } = reference
  const ofRepository = store
    .references()
    .map(({ name, key }) => ({ reference: parseReference(name), key }))
    .filter(({ reference: one }) => one.domain === domain && one.path === path)
  if (ofRepository.length === 0) {
    throw notFound(`An image does not exist locally with the tag: ${familiarName(reference)}`)
  }
  if (digest !== undefined) throw invalid('cannot push a digest reference')
  const wanted = ofRepository.flatMap(({ reference: one, key }) =>
    one.tag !== undefined && (tag === undefined || one.tag === tag)
      ? [{ reference: { domain, path, tag: one.tag }, key }]
      : [],
  )
  if (wanted.length > 0) return wanted
  if (tag !== undefined) throw notFound(`tag does not exist: ${familiarReference(reference)}`)
  throw notFound(`no tags to push for ${familiarName(reference)}`)
}

/** One event for all tags, as in Docker. */
function tell({ store, database, events }: PushPorts, reference: Reference): void {
  const key = store.findReference(formatReference({ ...reference, tag: reference.tag ?? 'latest' }))?.key
  const image = key && store.withId(key.id)[0]
  const attributes = { ...(image && labelsOf(image)), name: familiarName(reference) }
  database.transaction(() => {
    events.publish({ type: 'image', action: 'push', actor: { id: familiarReference(reference), attributes } })
  })
}
