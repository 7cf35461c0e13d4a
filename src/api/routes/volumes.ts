import { notFound } from '#base/errors.ts'
import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { json } from '../reply.ts'

/** There are no volumes yet: lists are empty, and each name is unknown. */
export const volumeRoutes: readonly Route[] = [
  route('GET /volumes', ({ query }) => {
    parseFilters(query.text('filters')).allowOnly(['dangling', 'driver', 'label', 'name'])
    return json({ Volumes: [], Warnings: null })
  }),
  route('POST /volumes/prune', ({ query }) => {
    parseFilters(query.text('filters')).allowOnly(['all', 'label', 'label!'])
    return json({ VolumesDeleted: [], SpaceReclaimed: 0 })
  }),
  route('GET /volumes/{name}', ({ path }) => {
    throw notFound(`get ${path.name}: no such volume`)
  }),
  route('DELETE /volumes/{name}', ({ path }) => {
    throw notFound(`get ${path.name}: no such volume`)
  }),
]
