import { invalid, notImplemented } from '#base/errors.ts'
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
    const progress = await engine.images.pull(
      {
        reference,
        allTags: reference.tag === undefined && reference.digest === undefined,
        platform: checkPlatform(query.text('platform')),
        auth: parseRegistryAuth(headers['x-registry-auth']),
      },
      signal,
    )
    return stream('application/json', toJsonLines(progress))
  }),
]
