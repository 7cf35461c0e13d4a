import { invalid, isKind, notImplemented, unavailable } from '#base/errors.ts'
import { type Route, route } from '../call.ts'
import { checkPlatform } from '../parse/platform.ts'
import { parsePulled } from '../parse/reference.ts'
import { parseRegistryAuth } from '../parse/registry-auth.ts'
import { stream } from '../reply.ts'
import { toJsonLines } from '../streams/json-progress.ts'

export const imageTransferRoutes: readonly Route[] = [
  route('POST /images/create', async ({ query, headers, signal }, engine) => {
    if (query.has('fromSrc')) throw notImplemented('docker import is not supported yet; pull the image from a registry')
    const name = query.text('fromImage')
    if (name === undefined) throw invalid('fromImage must name the image to pull')
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
]

/** A registry that wants other credentials is a 500, as with Docker: at a 401 the docker CLI would wait for somebody to type a password. */
function refusedByRegistry(error: unknown): never {
  if (isKind(error, 'unauthorized') || isKind(error, 'forbidden')) {
    throw unavailable(error.message, { ...(error.code !== undefined && { code: error.code }), cause: error })
  }
  throw error
}
