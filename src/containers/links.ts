import { conflict, invalid, isKind, messageOf } from '#base/errors.ts'
import { expandPorts } from '#network/ports/requested.ts'
import type { LinkedHost } from '#network/sandbox.ts'
import type { Container, HostSettings } from './container.ts'
import type { ContainerContext } from './context.ts'
import { isAlive } from './lifecycle.ts'
import { toAttached } from './sandbox-request.ts'
import { mergeEnvironment } from './spec/process.ts'

/** `--link` on the default bridge: what the linked containers add to a container at each start. */
export interface Links {
  readonly hosts: readonly LinkedHost[]
  readonly env: readonly string[]
}

interface Link {
  readonly target: string
  readonly alias: string
}

/** Links of networks of one's own are names there, and kept with the attachment. */
function hasOldLinks({ networkMode, links }: Pick<HostSettings, 'networkMode' | 'links'>): boolean {
  return links.length > 0 && ['bridge', 'default', ''].includes(networkMode)
}

/** At create.   @throws `invalid` in Docker's words for a malformed link, or one to a container that is not there */
export function checkLinks({ store }: Pick<ContainerContext, 'store'>, host: HostSettings): void {
  if (host.links.length > 0 && host.networkMode === 'host') {
    throw invalid(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    )
  }
  if (!hasOldLinks(host)) return
  for (const { target } of host.links.map(parseLink)) {
    try {
      store.get(target)
    } catch (error) {
      if (!isKind(error, 'not-found')) throw error
      throw invalid(`could not get container for ${target}: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** @throws `conflict` in Docker's words for a container that does not run */
export function linksOf(context: Pick<ContainerContext, 'store' | 'network'>, container: Container): Links {
  if (!hasOldLinks(container.host)) return { hosts: [], env: [] }
  const linked = container.host.links.map(parseLink).map(({ target, alias }) => {
    const peer = context.store.get(target)
    if (!isAlive(peer)) {
      throw conflict(`Cannot link to a non running container: /${peer.name} AS /${container.name}/${alias}`)
    }
    const bridge = context.network.endpoints(toAttached(peer)).find(({ network }) => network === 'bridge')
    if (!bridge?.ipAddress) {
      throw conflict(`Cannot link to /${peer.name}, as it does not belong to the default network`)
    }
    return { peer, alias, address: bridge.ipAddress }
  })
  return {
    hosts: linked.map(({ peer, alias, address }) => ({
      address,
      names: [...new Set([alias, peer.config.hostname, peer.name])],
    })),
    env: linked.flatMap(({ peer, alias, address }) => environmentOf(container.name, { peer, alias, address })),
  }
}

/** With what links put into its environment; its own settings count more. */
export function withLinks(container: Container, { env }: Links): Container {
  if (env.length === 0) return container
  return { ...container, config: { ...container.config, env: mergeEnvironment(env, container.config.env) } }
}

/** `/target:/name/alias`, as inspect shows links. */
export function linkTexts({ name, host }: Pick<Container, 'name' | 'host'>): string[] {
  if (!hasOldLinks(host)) return [...host.links]
  return host.links.map(parseLink).map(({ target, alias }) => `/${target}:/${name}/${alias}`)
}

function parseLink(text: string): Link {
  const [target = '', alias = target, ...more] = text.split(':')
  const plain = target.replace(/^\//, '')
  const last = alias.slice(alias.lastIndexOf('/') + 1)
  if (plain === '' || last === '' || more.length > 0) throw invalid(`bad format for links: ${text}`)
  return { target: plain, alias: last }
}

function environmentOf(
  name: string,
  { peer, alias, address }: { readonly peer: Container; readonly alias: string; readonly address: string },
): string[] {
  const prefix = alias.replaceAll('-', '_').toUpperCase()
  const ports = peer.config.exposedPorts
    .flatMap(expandPorts)
    .map((text) => ({ port: text.split('/')[0] ?? '', protocol: text.split('/')[1] ?? 'tcp' }))
    .sort((a, b) => (a.protocol === b.protocol ? Number(a.port) - Number(b.port) : a.protocol === 'tcp' ? -1 : 1))
  const [first] = ports
  const of = ({ port, protocol }: { port: string; protocol: string }): string[] => {
    const key = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    return [
      `${key}=${protocol}://${address}:${port}`,
      `${key}_ADDR=${address}`,
      `${key}_PORT=${port}`,
      `${key}_PROTO=${protocol}`,
    ]
  }
  const own = peer.config.env.filter((entry) => !/^(PATH|HOME)=/.test(entry))
  return [
    ...(first ? [`${prefix}_PORT=${first.protocol}://${address}:${first.port}`] : []),
    ...ports.flatMap(of),
    `${prefix}_NAME=/${name}/${alias}`,
    ...own.map((entry) => `${prefix}_ENV_${entry}`),
  ]
}
