import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { invalid, systemCode } from '#base/errors.ts'
import { parseResolvConf, type ResolvConf, renderResolvConf, resolvConfFor, withOwnServer } from './resolv-conf.ts'
import type { SandboxRequest } from './sandbox.ts'

/** Where the host's own files are; tests give others. */
export interface HostFiles {
  readonly hosts: string
  readonly resolvConf: string
  /** What systemd-resolved really asks, where resolv.conf names only its stub on loopback. */
  readonly resolvedConf: string
}

export const hostFiles: HostFiles = {
  hosts: '/etc/hosts',
  resolvConf: '/etc/resolv.conf',
  resolvedConf: '/run/systemd/resolve/resolv.conf',
}

export interface EtcContext {
  /** Whether the container shares the host's network stack, and so may use what is reachable on its loopback. */
  readonly hostNetwork: boolean
  /** The engine's DNS server answers in the sandbox. */
  readonly ownDns: boolean
  /** The container's own addresses. */
  readonly addresses: readonly string[]
  /** What `host-gateway` in an extra host means; empty: nothing. */
  readonly hostGateways: readonly string[]
  readonly files: HostFiles
}

const header = '# Written by berth at each start of the container.\n'
const fileLimit = 1 << 20

/** Writes hosts, hostname and resolv.conf of a container into its directory.   @throws `invalid` for a malformed extra host */
export async function writeEtcFiles(request: SandboxRequest, context: EtcContext): Promise<void> {
  const [hosts, resolvConf] = await Promise.all([hostsFor(request, context), resolvConfText(request, context)])
  await mkdir(request.directory, { recursive: true, mode: 0o700 })
  // New files: the old ones may be under a lease (fcntl(2)) of a process that was in the container.
  const write = (name: string, content: string) =>
    writeFileAtomic(join(request.directory, name), content, { mode: 0o644 })
  await Promise.all([
    write('hosts', hosts),
    write('hostname', `${request.hostname}\n`),
    write('resolv.conf', resolvConf),
  ])
}

async function hostsFor(request: SandboxRequest, context: EtcContext): Promise<string> {
  const extra = request.extraHosts.map((text) => extraHost(text, context.hostGateways))
  if (context.hostNetwork) {
    const own = await readText(context.files.hosts)
    return own === '' ? renderHosts(extra, []) : `${own.trimEnd()}\n${extra.join('')}`
  }
  const linked = (request.linkedHosts ?? []).map(({ address, names }) => `${address}\t${names.join(' ')}\n`)
  return renderHosts(
    [...extra, ...linked],
    context.addresses.map((address) => ownLine(address, request)),
  )
}

function ownLine(address: string, { hostname, domainname }: SandboxRequest): string {
  return `${address}\t${domainname ? `${hostname}.${domainname} ${hostname}` : hostname}\n`
}

/** The engine's DNS server has come to a container that runs: its resolv.conf is written anew, in place, on the terms of `changeHosts`. */
export async function rewriteResolvConf(request: SandboxRequest, context: EtcContext): Promise<void> {
  await using file = await openUnlessLeased(join(request.directory, 'resolv.conf'))
  if (file) await replace(file, await resolvConfText(request, context))
}

/**
 * Adds or takes away the line of one address of a container that runs; what it wrote into its hosts itself stays. A file that
 * the container has made too large, or holds under a lease, stays as it is: it is the container's own to spoil.
 */
export async function changeHosts(
  request: SandboxRequest,
  { added = [], removed = [] }: { readonly added?: readonly string[]; readonly removed?: readonly string[] },
): Promise<void> {
  await using file = await openUnlessLeased(join(request.directory, 'hosts'))
  if (!file || (await file.stat()).size > fileLimit) return
  const dropped = new Set(removed.map((address) => ownLine(address, request).trimEnd()))
  const kept = (await file.readFile('utf8')).split('\n').filter((line) => !dropped.has(line))
  await replace(file, kept.join('\n') + added.map((address) => ownLine(address, request)).join(''))
}

/** In place: the container sees this very file. */
async function replace(file: FileHandle, text: string): Promise<void> {
  const content = Buffer.from(text)
  await file.truncate()
  await file.write(content, 0, content.length, 0)
}

/** A blocking open would wait for the lease's holder, and a thread of Node's file pool with it. */
async function openUnlessLeased(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return undefined
    throw error
  }
}

/** @param own the lines of the container's own addresses */
function renderHosts(extra: readonly string[], own: readonly string[]): string {
  const fixed = [
    '127.0.0.1\tlocalhost\n',
    '::1\tlocalhost ip6-localhost ip6-loopback\n',
    'fe00::\tip6-localnet\n',
    'ff00::\tip6-mcastprefix\n',
    'ff02::1\tip6-allnodes\n',
    'ff02::2\tip6-allrouters\n',
  ]
  return [...fixed, ...extra, ...own].join('')
}

/** `name:address` to its lines of hosts. */
export function extraHost(text: string, hostGateways: readonly string[]): string {
  const at = text.indexOf(':')
  const name = text.slice(0, at)
  const address = text.slice(at + 1).replace(/^\[(.*)\]$/, '$1')
  // Neither may bring a line of its own into the file.
  if (at <= 0 || !/^[^\s#]+$/.test(name)) throw invalid(`bad format for add-host: "${text}"`)
  if (address !== 'host-gateway') {
    if (!/^[0-9A-Fa-f:.]+(%\w+)?$/.test(address)) throw invalid(`invalid IP address in add-host: "${address}"`)
    return `${address}\t${name}\n`
  }
  if (hostGateways.length === 0) {
    throw invalid('unable to derive the IP value for host-gateway: the bridge network has no address')
  }
  return hostGateways.map((gateway) => `${gateway}\t${name}\n`).join('')
}

async function resolvConfText(request: SandboxRequest, context: EtcContext): Promise<string> {
  const own = await readText(context.files.resolvConf)
  const overrides = { nameservers: request.dns, search: request.dnsSearch, options: request.dnsOptions }
  const untouched = Object.values(overrides).every((list) => list.length === 0)
  if (context.hostNetwork && untouched) return own
  const host = await realResolvConf(own, context)
  const conf = resolvConfFor(host, overrides, { keepLoopback: context.hostNetwork })
  return header + renderResolvConf(context.ownDns ? withOwnServer(conf) : conf)
}

async function realResolvConf(own: string, { hostNetwork, files }: EtcContext): Promise<ResolvConf> {
  const host = parseResolvConf(own)
  const onlyStub = host.nameservers.length === 1 && host.nameservers[0] === '127.0.0.53'
  if (hostNetwork || !onlyStub) return host
  const real = await readText(files.resolvedConf)
  return real === '' ? host : parseResolvConf(real)
}

/** A file that is not there counts as empty, as the resolver sees it. */
async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).slice(0, fileLimit)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}
