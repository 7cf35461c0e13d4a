import { internal, invalid, isKind } from '#base/errors.ts'
import { since } from '#contract/versions.ts'
import type { Engine } from '#engine/engine.ts'
import { type Platform, parsePlatform } from '#oci/platform.ts'
import { type Call, type Route, route } from '../call.ts'
import { checkPlatform, parsePlatformSince } from '../parse/platform.ts'
import { parsePulled, parsePushed, parseTarget } from '../parse/reference.ts'
import { parseRegistryAuth } from '../parse/registry-auth.ts'
import { refusedByRegistry } from '../refused-by-registry.ts'
import { type Reply, stream } from '../reply.ts'
import { toJsonLines } from '../streams/json-progress.ts'

export const imageTransferRoutes: readonly Route[] = [
  route('POST /images/create', async (call, engine) => {
    const { query, headers, signal } = call
    const name = query.text('fromImage')
    if (name === undefined) return importImage(call, engine)
    const reference = parsePulled(name, query.text('tag'))
    const request = {
      reference,
      allTags: reference.tag === undefined && reference.digest === undefined,
      platform: checkPlatform(query.text('platform')),
      auth: parseRegistryAuth(headers['x-registry-auth']),
    }
    const progress = await engine.images.pull(request, signal).catch(refusedByRegistry)
    return stream('application/json', toJsonLines(progress))
  }),

  route('GET /images/get', ({ query, version, signal }, engine) =>
    save(
      engine,
      {
        names: query.texts('names'),
        platform: parsePlatformSince(since.archivePlatforms, version, query.text('platform')),
      },
      signal,
    ),
  ),

  route('GET /images/{name}/get', ({ path, query, version, signal }, engine) =>
    save(
      engine,
      { names: [path.name], platform: parsePlatformSince(since.archivePlatforms, version, query.text('platform')) },
      signal,
    ),
  ),

  route('POST /images/load', async ({ query, version, input, signal }, engine) => {
    const platform = parsePlatformSince(since.archivePlatforms, version, query.text('platform'))
    const quiet = !query.has('quiet') || query.boolean('quiet')
    const progress = await engine.images.load({ archive: input, quiet, ...(platform && { platform }) }, signal)
    return stream('application/json', toJsonLines(progress))
  }),

  route('POST /images/{name}/push', ({ path, query, headers, version, signal }, engine) => {
    const request = {
      reference: parsePushed(path.name, query.text('tag')),
      platform: parsePlatformSince(since.pushPlatform, version, query.text('platform')),
      auth: parseRegistryAuth(headers['x-registry-auth']),
    }
    return stream('application/json', toJsonLines(engine.images.push(request, signal)))
  }),
]

async function importImage({ query, input, signal }: Call<'POST /images/create'>, engine: Engine): Promise<Reply> {
  const source = query.text('fromSrc')
  if (source === undefined) throw invalid('fromImage must name the image to pull, or fromSrc the archive to import')
  const repository = query.text('repo')
  const platform = checkPlatform(query.text('platform'))
  const request = {
    source: source === '-' ? input : source,
    message: query.text('message') ?? '',
    changes: query.texts('changes'),
    reference: repository === undefined ? undefined : parseTarget(repository, query.text('tag')),
    platform: platform === undefined ? undefined : parsePlatform(platform),
  }
  return stream('application/json', toJsonLines(await engine.images.import(request, signal)))
}

async function save(
  engine: Engine,
  { names, platform }: { names: readonly string[]; platform: Platform | undefined },
  signal: AbortSignal,
): Promise<Reply> {
  const chunks = await engine.images.save({ names, ...(platform && { platform }) }, signal).catch(refusedByName)
  return stream('application/x-tar', chunks)
}

/** A name that can be none is a 500 here, as with Docker. */
function refusedByName(error: unknown): never {
  if (isKind(error, 'invalid')) throw internal(error.message, { cause: error })
  throw error
}
