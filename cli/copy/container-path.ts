import type { Client } from '../client/client.ts'
import { containerPath } from '../client/containers.ts'
import type { PathStat } from './copy-spec.ts'

const header = 'x-docker-container-path-stat'

/** @throws `not-found` */
export async function statInContainer(client: Client, container: string, path: string): Promise<PathStat> {
  const { head } = await client.stream('HEAD', containerPath(container, '/archive'), { query: { path } })
  return parseStat(head.headers)
}

/** The tar of a path, and what it is of. */
export async function openArchive(
  client: Client,
  container: string,
  path: string,
): Promise<{ readonly stat: PathStat; readonly body: AsyncIterable<Buffer> }> {
  const { head, body } = await client.stream('GET', containerPath(container, '/archive'), { query: { path } })
  return { stat: parseStat(head.headers), body }
}

function parseStat(headers: ReadonlyMap<string, string>): PathStat {
  return JSON.parse(Buffer.from(headers.get(header) ?? '', 'base64').toString()) as PathStat
}
