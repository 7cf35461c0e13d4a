import { rm } from 'node:fs/promises'
import type { ApiServer } from '#api/server.ts'
import { isKind, messageOf, unavailable } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Config } from '#engine/config.ts'
import { type Listener, parseHost, prepareSocketPath, protectSocket } from './listeners.ts'
import { inheritedSockets, isUnixSocket } from './systemd.ts'
import { type NetworkAccess, refuseUndecided } from './tls.ts'

interface Serving {
  readonly server: ApiServer
  readonly config: Config
  readonly access: NetworkAccess
  readonly log: Logger
}

const dockerSocket = '/var/run/docker.sock'

/** Listens on every host; sockets that were made here are removed when `opened` is disposed. */
export async function serveHosts(opened: AsyncDisposableStack, serving: Serving): Promise<void> {
  const listeners = serving.config.hosts.map((host) => ({ host, listener: parseHost(host) }))
  for (const { host, listener } of listeners) {
    if (listener.kind === 'unix') await serveUnix(opened, serving, listener.path)
    if (listener.kind === 'tcp') await serveTcp(serving, host, listener)
    if (listener.kind === 'inherited') await serveInherited(serving)
  }
  const isAsked = listeners.some(({ listener }) => listener.kind === 'unix' && listener.path === dockerSocket)
  if (serving.config.dockerSocket && !isAsked) await serveDockerSocket(opened, serving)
}

async function serveUnix(opened: AsyncDisposableStack, { server, config }: Serving, path: string): Promise<void> {
  await prepareSocketPath(path)
  await server.listen({ path })
  opened.defer(() => rm(path, { force: true }))
  await protectSocket(path, config.group)
}

/** For programs that know no other place; whoever has it already keeps it. */
async function serveDockerSocket(opened: AsyncDisposableStack, serving: Serving): Promise<void> {
  try {
    await serveUnix(opened, serving, dockerSocket)
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error
    serving.log.warn({ error: messageOf(error) }, `${dockerSocket} is not served`)
  }
}

async function serveTcp(
  serving: Serving,
  text: string,
  { host, port }: Extract<Listener, { kind: 'tcp' }>,
): Promise<void> {
  const tls = tlsOf(serving, text)
  await serving.server.listen({ host, port: port ?? (tls ? 2376 : 2375) }, tls)
}

async function serveInherited(serving: Serving): Promise<void> {
  const descriptors = inheritedSockets(process.env)
  if (descriptors.length === 0) throw unavailable('no sockets were passed by the service manager for fd://')
  for (const fd of descriptors)
    await serving.server.listen({ fd }, isUnixSocket(fd) ? undefined : tlsOf(serving, `socket ${fd} of fd://`))
}

/** @throws `invalid` where nobody has said who may come in over the network */
function tlsOf({ access, log }: Serving, host: string) {
  refuseUndecided(access, host)
  if (access.kind !== 'verified') {
    log.warn(
      { host },
      'Binding to IP address without --tlsverify is insecure and gives root access on this machine to everyone who has access to your network.',
    )
    log.warn(
      { host },
      'Binding to an IP address, even on localhost, can also give access to scripts run in a browser. Be safe out there!',
    )
  }
  return 'tls' in access ? access.tls : undefined
}
