import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'

type Context = Pick<ContainerContext, 'events' | 'network'>

const typeOf: Readonly<Record<string, string>> = { host: 'host', none: 'null' }

export function publishConnected(context: Context, container: Container): void {
  publishEach(context, container, 'connect')
}

export function publishDisconnected(context: Context, container: Container): void {
  publishEach(context, container, 'disconnect')
}

function publishEach({ events, network }: Context, { id, host }: Container, action: string): void {
  for (const endpoint of network.endpoints(id, host.networkMode)) {
    const attributes = { container: id, name: endpoint.network, type: typeOf[endpoint.network] ?? 'bridge' }
    events.publish({ type: 'network', action, actor: { id: endpoint.networkId, attributes } })
  }
}
