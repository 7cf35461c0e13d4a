import type { ContainerCreateRequest } from '#contract/types.gen.ts'
import { decodeContainerCreateRequest } from '#contract/validate.gen.ts'
import { type Route, route } from '../call.ts'
import { isEmptyConfig, parseContainerConfig } from '../parse/container-config.ts'
import { parseTarget } from '../parse/reference.ts'
import { created } from '../reply.ts'

export const commitRoutes: readonly Route[] = [
  route('POST /commit', async ({ query, body, signal }, engine) => {
    const config = await body(decodeConfig)
    const repository = query.text('repo')
    const id = await engine.containers.commit(
      query.text('container') ?? '',
      {
        config: config && parseContainerConfig(config),
        changes: query.texts('changes'),
        author: query.text('author') ?? '',
        comment: query.text('comment') ?? '',
        pause: query.text('pause') === undefined || query.boolean('pause'),
        reference: repository === undefined ? undefined : parseTarget(repository, query.text('tag')),
      },
      signal,
    )
    return created({ Id: id })
  }),
]

/** Some clients send null for no config, others an empty object. */
function decodeConfig(value: unknown): ContainerCreateRequest | undefined {
  if (value === null) return undefined
  const config = decodeContainerCreateRequest(value)
  return isEmptyConfig(config) ? undefined : config
}
