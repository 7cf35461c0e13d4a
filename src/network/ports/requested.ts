import { invalid } from '#base/errors.ts'

/** `8080`, `8080-8090`, or nothing: the engine chooses. */
export interface HostRange {
  readonly first: number
  readonly last: number
}

/** A port of a container that is to be reached by one of the host. */
export interface RequestedPort {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  /** Empty: every address, of both families. */
  readonly hostAddress: string
  readonly range: HostRange | undefined
}

export interface PortWishes {
  /** `80/tcp` → where; HostConfig.PortBindings. */
  readonly bindings: Readonly<Record<string, readonly { readonly hostIp: string; readonly hostPort: string }[]>>
  /** `80/tcp`. */
  readonly exposed: readonly string[]
  readonly publishAll: boolean
}

/** Every port that is asked for, in the order of their numbers.   @throws `invalid` in Docker's words */
export function requestedPorts({ bindings, exposed, publishAll }: PortWishes): RequestedPort[] {
  const wanted = new Map(Object.entries(bindings))
  if (publishAll) {
    for (const port of exposed.flatMap(expandPorts)) {
      if ((wanted.get(port)?.length ?? 0) === 0) wanted.set(port, [{ hostIp: '', hostPort: '' }])
    }
  }
  return [...wanted]
    .flatMap(([port, list]) => list.map(({ hostIp, hostPort }) => toRequested(port, hostIp, hostPort)))
    .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
}

/** `80-82/tcp` → `80/tcp`, `81/tcp`, `82/tcp`. */
export function expandPorts(text: string): string[] {
  const [ports = '', protocol = 'tcp'] = text.split('/')
  const [first = '', last = first] = ports.split('-')
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => `${Number(first) + at}/${protocol}`)
}

function toRequested(key: string, hostAddress: string, hostPort: string): RequestedPort {
  const [port = '', protocol = 'tcp'] = key.split('/')
  if (protocol !== 'tcp' && protocol !== 'udp') throw invalid(`invalid port ${key}: only tcp and udp can be published`)
  if (!/^\d+$/.test(port)) throw invalid(`invalid port specification: ${JSON.stringify(key)}`)
  return { protocol, port: Number(port), hostAddress, range: parseRange(hostPort) }
}

function parseRange(text: string): HostRange | undefined {
  if (text === '' || text === '0') return undefined
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  if (first === '' || Number(first) > Number(last) || Number(last) > 65_535) {
    throw invalid(`invalid port specification: ${JSON.stringify(text)}`)
  }
  return { first: Number(first), last: Number(last) }
}
