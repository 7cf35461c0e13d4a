import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { invalid, systemCode } from '#base/errors.ts'

export interface RegistryConfig {
  /** Base URLs asked before docker.io, in this order: `http://127.0.0.1:5000`. */
  readonly mirrors: readonly string[]
  /** Hosts (`registry.lan:5000`) and networks (`10.0.0.0/8`) that may lack TLS or a certificate we know. */
  readonly insecure: readonly string[]
}

/** A place to ask for a repository. */
export interface Endpoint {
  /** Without a slash at the end: `https://registry-1.docker.io`. */
  readonly base: string
  readonly verifyTls: boolean
  /** Mirrors never see the credentials of the registry that they mirror. */
  readonly isMirror: boolean
  /** TLS where plain HTTP is tried next. */
  readonly isGuess: boolean
}

const hubHost = 'registry-1.docker.io'
const alwaysInsecure: readonly string[] = ['127.0.0.0/8', '::1/128']

/** @throws `invalid` naming the first entry that cannot be used */
export function parseRegistryConfig(mirrors: readonly string[], insecure: readonly string[]): RegistryConfig {
  for (const host of insecure) {
    if (/^[a-z]+:\/\//i.test(host) || host === '') {
      throw invalid(`insecure registry ${host} is not valid: write a host, host:port, or network such as 10.0.0.0/8`)
    }
    if (isNetwork(host)) blockListOf([host])
  }
  return { mirrors: mirrors.map(parseMirror), insecure }
}

function parseMirror(text: string): string {
  const url = URL.parse(text)
  if (!url) throw invalid(`invalid mirror: "${text}" is not a URL such as https://mirror.example`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`invalid mirror: unsupported scheme "${url.protocol.slice(0, -1)}" in "${text}"`)
  }
  if (url.username !== '' || url.password !== '') {
    url.password = 'xxxxx'
    throw invalid(`invalid mirror: username/password not allowed in URI "${url.href}"`)
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw invalid(`invalid mirror: path, query, or fragment at end of the URI "${text}"`)
  }
  return url.origin
}

/** Where to ask for repositories of a domain, best first. An insecure registry is tried with TLS before plain HTTP. */
export async function endpointsOf(domain: string, config: RegistryConfig): Promise<readonly Endpoint[]> {
  if (domain !== 'docker.io') return registryEndpoints(domain, await isInsecure(domain, config.insecure))
  const mirrors = config.mirrors.map(async (base): Promise<Endpoint> => {
    const verifyTls = !(await isInsecure(new URL(base).host, config.insecure))
    return { base, verifyTls, isMirror: true, isGuess: false }
  })
  return [
    ...(await Promise.all(mirrors)),
    { base: `https://${hubHost}`, verifyTls: true, isMirror: false, isGuess: false },
  ]
}

function registryEndpoints(host: string, insecure: boolean): readonly Endpoint[] {
  const secure = { base: `https://${host}`, verifyTls: !insecure, isMirror: false, isGuess: insecure }
  return insecure ? [secure, { base: `http://${host}`, verifyTls: false, isMirror: false, isGuess: false }] : [secure]
}

async function isInsecure(host: string, insecure: readonly string[]): Promise<boolean> {
  if (insecure.includes(host)) return true
  const networks = blockListOf([...alwaysInsecure, ...insecure.filter(isNetwork)])
  const addresses = await addressesOf(host.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''))
  return addresses.some((address) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}

/** A name is looked up, as Docker does: an insecure network covers the hosts in it. One that is unknown is simply not covered. */
async function addressesOf(name: string): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name]
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address)
  } catch (error) {
    if (systemCode(error) !== undefined) return []
    throw error
  }
}

function isNetwork(text: string): boolean {
  return text.includes('/')
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/')
    const family = isIP(address)
    const longest = family === 6 ? 128 : 32
    if (family === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > longest) {
      throw invalid(`insecure registry ${network} is not valid: write a network as 10.0.0.0/8`)
    }
    list.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
