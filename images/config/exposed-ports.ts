import { invalid } from '#base/errors.ts'

/** `80`, `53/udp`, `8000-8002`, `8080:80` → `80/tcp`, …   @throws `invalid` in Docker's words */
export function parseExposed(text: string): string[] {
  const [, ports = '', protocol = 'tcp'] = /^(?:.*:)?([^/]*)(?:\/(.*))?$/.exec(text) ?? []
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw invalid(`Invalid proto: ${protocol}`)
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(ports) ?? []
  const [start, end] = [Number(first), Number(last)]
  if (first === undefined || !(start <= end) || end > 65_535) throw invalid(`Invalid containerPort: ${ports}`)
  return Array.from({ length: end - start + 1 }, (_, index) => `${start + index}/${protocol.toLowerCase()}`)
}
