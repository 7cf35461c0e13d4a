import { readdirSync } from 'node:fs'
import { type Route, route } from '../call.ts'
import { presentInfo, presentVersion } from '../present/system.ts'
import { json, type Reply } from '../reply.ts'

const pong = (text: string): Reply => ({
  kind: 'text',
  status: 200,
  text,
  headers: {
    // "2" would send the docker CLI to BuildKit.
    'Builder-Version': '1',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Swarm: 'inactive',
  },
})

export const systemRoutes: readonly Route[] = [
  route('GET /_ping', () => pong('OK')),
  route('HEAD /_ping', () => pong('')),
  route('GET /version', (_, engine) => json(presentVersion(engine.system.version()))),
  route('GET /info', async ({ version }, engine) =>
    json(presentInfo(await engine.system.info(), version, readdirSync('/proc/self/fd').length)),
  ),
]
