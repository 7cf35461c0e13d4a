import { isIP } from 'node:net'
import { invalid } from '#base/errors.ts'
import type { PortBinding } from '#contract/types.gen.ts'

export interface Ports {
  readonly exposed: Record<string, object>
  readonly bindings: Record<string, PortBinding[]>
}

/** `-p [ip:][host[-host]:]container[-container][/proto]`, also `published=80,target=8080`.   @throws `invalid`, Docker's words */
export function parsePorts(published: readonly string[], exposed: readonly string[]): Ports {
  const ports: Ports = { exposed: {}, bindings: {} }
  for (const entry of published) {
    for (const { port, binding } of parsePublish(entry.includes('=') ? toShortForm(entry) : entry)) {
      ports.exposed[port] = {}
      ports.bindings[port] = [...(ports.bindings[port] ?? []), binding]
    }
  }
  for (const entry of exposed) {
    for (const port of parseExpose(entry)) ports.exposed[port] = {}
  }
  return ports
}

function parsePublish(text: string): { port: string; binding: PortBinding }[] {
  const slash = text.lastIndexOf('/')
  const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1).toLowerCase()
  const { ip, host, container } = splitAddress(slash < 0 ? text : text.slice(0, slash))
  if (container === '') throw invalid(`no port specified: ${text}<empty>`)
  if (ip !== '' && isIP(ip) === 0) throw invalid(`invalid IP address: ${ip}`)
  const inside = parseRange(container, 'containerPort')
  const outside = host === '' ? undefined : parseRange(host, 'hostPort')
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw invalid(`invalid proto: ${protocol}`)
  const count = inside.last - inside.first
  const spread = outside ? outside.last - outside.first : 0
  // One container port and a range outside: the engine picks one of the range.
  if (outside && count !== spread && count !== 0) {
    throw invalid(`invalid ranges specified for container and host Ports: ${container} and ${host}`)
  }
  return Array.from({ length: count + 1 }, (_, at) => {
    const chosen = outside && (count === spread ? String(outside.first + at) : host)
    return { port: `${inside.first + at}/${protocol}`, binding: { HostIp: ip, HostPort: chosen ?? '' } }
  })
}

function splitAddress(text: string): { ip: string; host: string; container: string } {
  const last = text.lastIndexOf(':')
  if (last < 0) return { ip: '', host: '', container: text }
  const container = text.slice(last + 1)
  const front = text.slice(0, last)
  const before = front.lastIndexOf(':')
  if (before < 0) return { ip: '', host: front, container }
  return { ip: front.slice(0, before).replace(/^\[(.*)\]$/, '$1'), host: front.slice(before + 1), container }
}

function parseRange(text: string, what: string): { first: number; last: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (!match || first > 65535 || last > 65535 || last < first) throw invalid(`invalid ${what}: ${text}`)
  return { first, last }
}

function toShortForm(text: string): string {
  const fields: Record<string, string> = { protocol: 'tcp', target: '', published: '' }
  for (const field of text.split(',')) {
    const equals = field.indexOf('=')
    const key = field.slice(0, Math.max(equals, 0)).toLowerCase()
    if (equals < 0 || !['protocol', 'target', 'published', 'mode'].includes(key)) {
      throw invalid(`invalid field '${field}' must be one of protocol, target, published, mode`)
    }
    fields[key] = field.slice(equals + 1)
  }
  const host = fields.published === '' ? '' : `${fields.published}:`
  return `${host}${fields.target}/${fields.protocol}`
}

function parseExpose(text: string): string[] {
  if (text.includes(':')) throw invalid(`invalid port format for --expose: ${text}`)
  const [ports = '', protocol = 'tcp'] = text.split('/')
  const word = ports.split('-').find((one) => !/^\d+$/.test(one))
  if (word !== undefined) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(word)}: invalid syntax`
    throw invalid(`invalid range format for --expose: ${text}, error: ${why}`)
  }
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(ports)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (!match || last > 65535 || last < first) throw invalid(`invalid range format for --expose: ${text}`)
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol.toLowerCase()}`)
}
