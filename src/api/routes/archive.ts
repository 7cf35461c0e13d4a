import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { invalid } from '#base/errors.ts'
import { type Call, type Route, route } from '../call.ts'
import { presentPathStat } from '../present/path-stat.ts'
import { empty, stream } from '../reply.ts'

export const archiveRoutes: readonly Route[] = [
  route('HEAD /containers/{id}/archive', async ({ path, query, signal }, engine) => {
    const stat = await engine.containers.statPath(path.id, { path: pathOf(query), signal })
    return empty(200, presentPathStat(stat))
  }),

  route('GET /containers/{id}/archive', async ({ path, query, headers, signal }, engine) => {
    const { stat, archive } = await engine.containers.copyOut(path.id, { path: pathOf(query), signal })
    const shown = presentPathStat(stat)
    if (!acceptsGzip(headers['accept-encoding'])) return stream('application/x-tar', archive, shown)
    return stream('application/x-tar', gzipped(archive, signal), { ...shown, 'Content-Encoding': 'gzip' })
  }),

  route('PUT /containers/{id}/archive', async ({ path, query, input, signal }, engine) => {
    const request = {
      path: pathOf(query),
      keepKinds: query.boolean('noOverwriteDirNonDir'),
      asContainerUser: query.boolean('copyUIDGID'),
    }
    await engine.containers.copyIn(path.id, { request, archive: input, signal })
    return empty(200)
  }),
]

function pathOf(query: Call<'GET /containers/{id}/archive'>['query']): string {
  const path = query.text('path')
  if (path === undefined) throw invalid('bad parameter: pathcannot be empty')
  return path
}

function acceptsGzip(accepted: string | string[] | undefined): boolean {
  const codings = String(accepted ?? '').split(',')
  return codings.some((coding) => /^\s*gzip\s*(;.*)?$/.test(coding) && !/;\s*q=0(\.0*)?\s*$/.test(coding))
}

/** zlib works on a thread of its own. */
function gzipped(archive: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const gzip = createGzip({ level: 1 })
  pipeline(Readable.from(archive, { objectMode: false }), gzip, { signal }).catch((error: Error) => gzip.destroy(error))
  return gzip
}
