import { invalid } from '#base/errors.ts'

/**
 * The host, with its port, that an address of a login means; empty means docker.io's.
 * @param server `registry.lan:5000`, `https://index.docker.io/v1/`
 * @throws `invalid` in the words of Go's net/url and net/http
 */
export function hostOfServer(server: string): string {
  const address = /^https?:\/\//.test(server) ? server : `https://${server}`
  const host = /^https?:\/\/([^/?#]*)/.exec(address)?.[1] ?? ''
  const problem = problemOf(address, host)
  if (problem !== undefined) throw invalid(`unable to parse server address: parse ${quote(address)}: ${problem}`)
  if (server === '' || URL.canParse(`https://${host}`)) return host
  const port = /:(\d+)$/.exec(host)?.[1]
  const why = port === undefined ? 'http: no Host in request URL' : `dial tcp: address ${port}: invalid port`
  throw invalid(`Get "https://${host}/v2/": ${why}`)
}

function problemOf(address: string, host: string): string | undefined {
  if ([...address].some((sign) => sign < ' ' || sign === '\x7f')) return 'net/url: invalid control character in URL'
  const badEscape = /%(?![\da-fA-F]{2}).{0,2}/.exec(address)?.[0]
  if (badEscape !== undefined) return `invalid URL escape ${quote(badEscape)}`
  const strange = /[ "<>\\^`{|}]/.exec(host)?.[0]
  if (strange !== undefined) return `invalid character ${quote(strange)} in host name`
  if (host.startsWith('[') && !host.includes(']')) return "missing ']' in host"
  const port = /:(?!\d*$)[^:\]]*$/.exec(host)?.[0]
  return port === undefined || port.length === host.length ? undefined : `invalid port ${quote(port)} after host`
}

/** As Go's %q. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll(/\\u00([01][\da-f])/g, '\\x$1')
}
