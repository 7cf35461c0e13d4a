import { BlockList, isIP } from 'node:net'
import { invalid } from '#base/errors.ts'

/** Where requests go through. Empty: nowhere. */
export interface Proxies {
  /** For http:// addresses. */
  readonly http: string
  /** For https:// addresses. */
  readonly https: string
  /** What is reached without: names, `.domains`, addresses and networks, with a port or not, separated by commas. */
  readonly none: string
}

export const noProxies: Proxies = { http: '', https: '', none: '' }

/** Of the environment: capital letters first, as in Go programs. */
export function proxiesOfEnvironment(env: Readonly<Record<string, string | undefined>>): Proxies {
  const of = (name: string) => env[name] || env[name.toLowerCase()] || ''
  return { http: of('HTTP_PROXY'), https: of('HTTPS_PROXY'), none: of('NO_PROXY') }
}

/** @throws `invalid` for one that is no proxy, its password hidden */
export function checkProxies({ http, https }: Proxies): void {
  for (const text of [http, https]) if (text !== '') parseProxy(text)
}

/** The address for people: with neither name nor password. */
export function withoutUser(text: string): string {
  const url = URL.parse(text)
  // Without a scheme it is read as one, and what is before the @ would stay.
  if (!url || url.host === '') return text.replace(/^[^@]*@/, 'xxxxx:xxxxx@')
  if (url.username === '' && url.password === '') return text
  return text.replace(/\/\/[^/?#]*@/, '//xxxxx:xxxxx@')
}

/** The proxy on the way to a URL, or undefined: for this machine itself never. @see golang.org/x/net/http/httpproxy */
export function proxyFor(target: string, { http, https, none }: Proxies): URL | undefined {
  const { protocol, hostname, port } = new URL(target)
  const proxy = protocol === 'https:' ? https : http
  if (proxy === '') return undefined
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (host === 'localhost' || isLoopback(host)) return undefined
  const at = { host, port: port || (protocol === 'https:' ? '443' : '80') }
  return none.split(',').some((entry) => isExcepted(at, entry.trim().toLowerCase())) ? undefined : parseProxy(proxy)
}

function parseProxy(text: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (!url || url.host === '')
    throw invalid(`invalid proxy address "${withoutUser(text)}": write http://proxy.lan:3128`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`proxy "${withoutUser(text)}" is not supported: proxies of http:// and https:// are`)
  }
  return url
}

interface Address {
  readonly host: string
  readonly port: string
}

function isExcepted(at: Address, entry: string): boolean {
  if (entry === '') return false
  if (entry === '*') return true
  if (/^[^/]+\/\d+$/.test(entry)) return isWithin(at.host, entry)
  const [, bracketed, plain = bracketed, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(entry) ?? []
  const name = plain ?? entry.replace(/^\[|\]$/g, '')
  if (name === '') return false
  if (port !== undefined && port !== at.port) return false
  if (isIP(name) !== 0) return isSameAddress(at.host, name)
  const suffix = name.replace(/^\*\./, '.')
  return suffix.startsWith('.') ? at.host.endsWith(suffix) : at.host === suffix || at.host.endsWith(`.${suffix}`)
}

function isLoopback(host: string): boolean {
  return isWithin(host, '127.0.0.0/8') || isWithin(host, '::1/128')
}

function isSameAddress(host: string, address: string): boolean {
  return isWithin(host, `${address}/${isIP(address) === 6 ? 128 : 32}`)
}

function isWithin(host: string, network: string): boolean {
  const [address = '', prefix = ''] = network.split('/')
  const family = isIP(address)
  if (family === 0 || isIP(host) === 0 || Number(prefix) > (family === 6 ? 128 : 32)) return false
  const list = new BlockList()
  list.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}
