import { notFound, notImplemented, unavailable } from '#base/errors.ts'
import { type OperationKey, type Route, route } from '../call.ts'
import { json } from '../reply.ts'

/** Known operations that Berth does not have yet, and what to say instead of doing them. */
const missing: Readonly<Partial<Record<OperationKey, string>>> = {
  'POST /build': 'building images',
  'POST /build/cancel': 'building images',
  'POST /session': 'BuildKit sessions',
  'POST /grpc': 'the BuildKit interface',
}

/** Everything of swarm mode; Berth is never a member of one. */
const swarm: Readonly<Record<string, readonly string[]>> = {
  GET: [
    ...['/swarm', '/swarm/unlockkey', '/nodes', '/nodes/{id}', '/services', '/services/{id}', '/services/{id}/logs'],
    ...['/tasks', '/tasks/{id}', '/tasks/{id}/logs', '/secrets', '/secrets/{id}', '/configs', '/configs/{id}'],
  ],
  POST: [
    ...['/swarm/init', '/swarm/join', '/swarm/update', '/swarm/unlock', '/nodes/{id}/update'],
    ...['/services/create', '/services/{id}/update', '/secrets/create', '/secrets/{id}/update'],
    ...['/configs/create', '/configs/{id}/update'],
  ],
  DELETE: ['/nodes/{id}', '/services/{id}', '/secrets/{id}', '/configs/{id}'],
}

const pluginRoutes: readonly Route[] = [
  route('GET /plugins', () => json([])),
  {
    method: 'GET',
    template: '/plugins/{name}/json',
    handle: ({ path }) => throwNoPlugin((path as { name: string }).name),
  },
]

export const notServedRoutes: readonly Route[] = [
  ...Object.entries(missing).map(([key, what]) =>
    route(key as OperationKey, () => {
      throw notImplemented(`${what}: Berth does not do this yet`)
    }),
  ),
  ...Object.entries(swarm).flatMap(([method, templates]) =>
    templates.map((template): Route => ({ method, template, handle: throwNotAManager })),
  ),
  ...pluginRoutes,
  { method: 'POST', template: '/swarm/leave', handle: throwNotInSwarm },
  { method: 'PUT', template: '/volumes/{name}', handle: throwNoClusterVolumes },
]

function throwNotInSwarm(): never {
  throw unavailable('This node is not part of a swarm', { code: 'not-a-swarm-manager' })
}

function throwNoClusterVolumes(): never {
  throw unavailable('volume update only valid for cluster volumes, but swarm is unavailable', {
    code: 'not-a-swarm-manager',
  })
}

function throwNotAManager(): never {
  throw unavailable(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    { code: 'not-a-swarm-manager' },
  )
}

function throwNoPlugin(name: string): never {
  throw notFound(`plugin ${JSON.stringify(name)} not found`)
}
