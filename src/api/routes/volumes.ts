import { decodeVolumeCreateRequest } from '#contract/validate.gen.ts'
import { since } from '#contract/versions.ts'
import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { presentVolume } from '../present/volume.ts'
import { created, empty, json } from '../reply.ts'

export const volumeRoutes: readonly Route[] = [
  route('GET /volumes', async ({ query }, engine) => {
    const { volumes, warnings } = await engine.volumes.list(parseFilters(query.text('filters')))
    return json({ Volumes: volumes.map(presentVolume), Warnings: warnings.length === 0 ? null : warnings })
  }),

  route('POST /volumes/create', async ({ body }, engine) => {
    const { Name = '', Driver = '', DriverOpts, Labels } = (await body(decodeVolumeCreateRequest)) ?? {}
    const view = await engine.volumes.create({ name: Name, driver: Driver, options: DriverOpts, labels: Labels })
    return created(presentVolume(view))
  }),

  route('POST /volumes/prune', async ({ query, version, signal }, engine) => {
    const filters = parseFilters(query.text('filters'))
    const all = version < since.pruneAnonymousVolumes
    const { names, reclaimedBytes } = await engine.volumes.prune(filters, { all }, signal)
    return json({ VolumesDeleted: names, SpaceReclaimed: reclaimedBytes })
  }),

  route('GET /volumes/{name}', async ({ path }, engine) => json(presentVolume(await engine.volumes.get(path.name)))),

  route('DELETE /volumes/{name}', async ({ path, query }, engine) => {
    await engine.volumes.remove(path.name, { force: query.boolean('force') })
    return empty(204)
  }),
]
