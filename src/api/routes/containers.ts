import { systemClock } from '#base/clock.ts'
import { invalid, notImplemented } from '#base/errors.ts'
import { decodeContainerCreateRequest, decodeContainerUpdateRequest } from '#contract/validate.gen.ts'
import { type Call, type Route, route } from '../call.ts'
import { parseContainerConfig } from '../parse/container-config.ts'
import { parseFilters } from '../parse/filters.ts'
import { parseHostConfig, parseUpdate } from '../parse/host-config.ts'
import { parseNetworkingConfig, withMacAddress } from '../parse/networking-config.ts'
import { checkPlatform } from '../parse/platform.ts'
import { presentChange } from '../present/change.ts'
import { presentContainer, presentContainerSummary } from '../present/container.ts'
import { created, empty, json, stream } from '../reply.ts'
import { imageFactsReader } from './image-facts.ts'

export const containerRoutes: readonly Route[] = [
  route('GET /containers/json', async ({ query, version }, engine) => {
    const limit = query.integer('limit')
    const limited = limit !== undefined && limit > 0
    const views = await engine.containers.list({
      all: query.boolean('all') || limited,
      limit: limited ? limit : undefined,
      size: query.boolean('size'),
      // Docker takes `since` and `before` outside of the filters, too, and does nothing with them.
      filters: parseFilters(query.text('filters')),
    })
    const now = systemClock.nowNanos()
    const factsOf = imageFactsReader(engine)
    return json(views.map((view) => presentContainerSummary(view, factsOf(view.container), { version, now })))
  }),

  route('POST /containers/create', async ({ query, body, version }, engine) => {
    const request = await body(decodeContainerCreateRequest)
    if (!request) throw invalid('invalid JSON: got EOF while reading request body')
    const config = parseContainerConfig(request, version)
    const host = parseHostConfig(request.HostConfig ?? {}, version)
    const { id, warnings } = await engine.containers.create({
      name: query.text('name'),
      platform: checkPlatform(query.text('platform')),
      config,
      host,
      attachments: withMacAddress(
        parseNetworkingConfig(request.NetworkingConfig),
        host.networkMode,
        request.MacAddress,
      ),
    })
    return created({ Id: id, Warnings: warnings })
  }),

  route('GET /containers/{id}/json', async ({ path, query, version }, engine) => {
    const view = await engine.containers.inspect(path.id, { size: query.boolean('size') })
    return json(presentContainer(view, imageFactsReader(engine)(view.container), version))
  }),

  route('GET /containers/{id}/top', async ({ path, query }, engine) => {
    const { titles, processes } = await engine.containers.top(path.id, query.text('ps_args') ?? '-ef')
    return json({ Processes: processes, Titles: titles })
  }),

  route('GET /containers/{id}/changes', async ({ path, signal }, engine) => {
    const changes = await engine.containers.changes(path.id, signal)
    return json(changes.length === 0 ? null : changes.map(presentChange))
  }),

  route('GET /containers/{id}/export', async ({ path, signal }, engine) =>
    stream('application/octet-stream', await engine.containers.export(path.id, signal)),
  ),

  route('POST /containers/{id}/start', async ({ path, query, headers }, engine) => {
    // Long ago a HostConfig could come with start; a body of a few bytes is only an empty JSON value.
    if (Number(headers['content-length'] ?? 0) > 7) {
      throw invalid(
        'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
      )
    }
    if (query.has('checkpoint')) throw notImplemented('checkpoints are not supported yet; start without one')
    await engine.containers.start(path.id)
    return empty(204)
  }),

  route('POST /containers/{id}/stop', async ({ path, query }, engine) => {
    await engine.containers.stop(path.id, toStopOptions(query))
    return empty(204)
  }),

  route('POST /containers/{id}/restart', async ({ path, query }, engine) => {
    await engine.containers.restart(path.id, toStopOptions(query))
    return empty(204)
  }),

  route('POST /containers/{id}/kill', async ({ path, query }, engine) => {
    await engine.containers.kill(path.id, query.text('signal'))
    return empty(204)
  }),

  route('POST /containers/{id}/pause', async ({ path }, engine) => {
    await engine.containers.pause(path.id)
    return empty(204)
  }),

  route('POST /containers/{id}/unpause', async ({ path }, engine) => {
    await engine.containers.unpause(path.id)
    return empty(204)
  }),

  route('POST /containers/{id}/update', async ({ path, body }, engine) => {
    await engine.containers.update(path.id, parseUpdate((await body(decodeContainerUpdateRequest)) ?? {}))
    return json({ Warnings: null })
  }),

  route('POST /containers/{id}/rename', async ({ path, query }, engine) => {
    const name = query.text('name')
    if (name === undefined) throw invalid('Neither old nor new names may be empty')
    await engine.containers.rename(path.id, name)
    return empty(204)
  }),

  route('POST /containers/prune', async ({ query, signal }, engine) => {
    const { ids, reclaimedBytes } = await engine.containers.prune(parseFilters(query.text('filters')), signal)
    return json({ ContainersDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: reclaimedBytes })
  }),

  route('DELETE /containers/{id}', async ({ path, query }, engine) => {
    const options = { force: query.boolean('force'), volumes: query.boolean('v'), link: query.boolean('link') }
    await engine.containers.remove(path.id, options)
    return empty(204)
  }),
]

function toStopOptions(query: Call<'POST /containers/{id}/stop'>['query']) {
  const timeoutSeconds = query.integer('t')
  const signal = query.text('signal')
  return { ...(timeoutSeconds !== undefined && { timeoutSeconds }), ...(signal !== undefined && { signal }) }
}
