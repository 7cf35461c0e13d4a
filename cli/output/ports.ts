import type { PortSummary } from '../client/wire.ts'

/** Ports of a container in one cell: equal numbers inside and outside as ranges, other mappings behind them. */
export function formatPorts(ports: readonly PortSummary[]): string {
  const groups = new Map<string, { first: number; last: number }>()
  const cells: string[] = []
  const mapped: string[] = []
  for (const { IP = '', PrivatePort, PublicPort, Type } of ports.toSorted(byNumber)) {
    if (IP !== '' && PublicPort !== PrivatePort) {
      mapped.push(`${withPort(IP, String(PublicPort ?? 0))}->${PrivatePort}/${Type}`)
      continue
    }
    const key = `${IP}/${Type}`
    const group = groups.get(key)
    if (group && PrivatePort === group.last + 1) {
      group.last = PrivatePort
      continue
    }
    if (group) cells.push(formatGroup(key, group))
    groups.set(key, { first: PrivatePort, last: PrivatePort })
  }
  for (const [key, group] of groups) cells.push(formatGroup(key, group))
  return [...cells, ...mapped].join(', ')
}

function byNumber(a: PortSummary, b: PortSummary): number {
  const text = (x = '', y = ''): number => (x < y ? -1 : x > y ? 1 : 0)
  return (
    a.PrivatePort - b.PrivatePort ||
    text(a.IP, b.IP) ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    text(a.Type, b.Type)
  )
}

function formatGroup(key: string, { first, last }: { first: number; last: number }): string {
  const slash = key.lastIndexOf('/')
  const range = first === last ? String(first) : `${first}-${last}`
  const ip = key.slice(0, slash)
  return `${ip === '' ? '' : `${withPort(ip, range)}->`}${range}${key.slice(slash)}`
}

function withPort(ip: string, port: string): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}
