import { invalid } from '#base/errors.ts'
import { since } from '#contract/versions.ts'
import type { ContainerUsage } from '#engine/engine.ts'
import { type Route, route } from '../call.ts'
import { presentStats } from '../present/stats.ts'
import { json, stream } from '../reply.ts'

export const statsRoutes: readonly Route[] = [
  route('GET /containers/{id}/stats', ({ path, query, version, signal }, engine) => {
    const follows = !query.has('stream') || query.boolean('stream')
    const oneShot = version >= since.oneShotStats && query.boolean('one-shot')
    if (follows && oneShot) throw invalid('cannot have stream=true and one-shot=true')
    if (!follows) return json(presentStats(engine.containers.usage(path.id), { oneShot }))
    return stream('application/json', presentAll(engine.containers.followUsage(path.id, signal)))
  }),
]

async function* presentAll(all: AsyncIterable<ContainerUsage>): AsyncGenerator<string> {
  for await (const one of all) yield `${JSON.stringify(presentStats(one))}\n`
}
