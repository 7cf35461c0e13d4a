/**
 * Plays a host in a network namespace of its own (run it with `unshare --net`): a container on the bridge, as the shim would make
 * it, and a neighbour on another link. Prints what can reach what, as JSON.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '#base/log.ts'
import type { SandboxPlan } from '#network/sandbox.ts'
import { NetworkService } from '#network/service.ts'
import { openFirewall } from '#runtime/firewall.ts'
import { openLibrary } from '#runtime/library.ts'
import { openNetlink } from '#runtime/netlink.ts'
import { openDatabase } from '#state/database.ts'
import { tempDirectory } from '#test/support/temp.ts'

const libraryPath = join(import.meta.dirname, '../../../build/native/libberth.so')
const forwardingFile = '/proc/sys/net/ipv4/ip_forward'
const neighbour = '192.0.2.2'
const port = 7000

const run = (file: string, ...args: readonly string[]): string => execFileSync(file, args, { encoding: 'utf8' })
const ip = (...args: readonly string[]): string => run('ip', ...args)

/** A process that does nothing but hold a network namespace. */
class Namespace implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly pid: number

  constructor() {
    this.#process = spawn('unshare', ['--net', '--', 'sh', '-c', 'echo ready; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.pid = this.#process.pid ?? -1
  }

  async ready(): Promise<this> {
    await new Promise((resolve) => this.#process.stdout?.once('data', resolve))
    this.ip('link', 'set', 'lo', 'up')
    return this
  }

  run(file: string, ...args: readonly string[]): string {
    return run('nsenter', `--net=/proc/${this.pid}/ns/net`, '--', file, ...args)
  }

  ip(...args: readonly string[]): string {
    return this.run('ip', ...args)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill('SIGKILL')
    await gone
  }
}

function connectNeighbour(outside: Namespace): void {
  ip('link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(outside.pid))
  ip('addr', 'add', '192.0.2.1/24', 'dev', 'up0')
  ip('link', 'set', 'up0', 'up')
  outside.ip('addr', 'add', `${neighbour}/24`, 'dev', 'eth0')
  outside.ip('link', 'set', 'eth0', 'up')
}

/** What the shim does with a plan. */
function attach(container: Namespace, plan: SandboxPlan): string {
  if (plan.kind !== 'veth') throw new TypeError(`a plan of the bridge is no ${plan.kind}`)
  const { hostLink, bridge, link, mac, mtu, addresses, routes } = plan
  const peer = ['peer', 'name', link, 'address', mac, 'mtu', String(mtu), 'netns', String(container.pid)]
  ip('link', 'add', hostLink, 'mtu', String(mtu), 'type', 'veth', ...peer)
  ip('link', 'set', hostLink, 'master', bridge, 'up')
  for (const address of addresses) container.ip('addr', 'add', address, 'dev', link)
  container.ip('link', 'set', link, 'up')
  for (const { to, via } of routes) container.ip('route', 'add', to, 'via', via, 'dev', link)
  return addresses[0]?.split('/')[0] ?? ''
}

/** Serves one connection in `server` and tries it from `client` (undefined: the host).   @returns the client's address as the server saw it, or the error's code */
async function tryConnection(server: Namespace, client: Namespace | undefined, address: string): Promise<string> {
  const serve = `require('node:net').createServer((s) => s.on('error', () => 0).end(s.remoteAddress.replace('::ffff:', ''))).listen(${port}, () => console.log('ready'))`
  const ask = `const s = require('node:net').connect({ host: '${address}', port: ${port}, timeout: 1000 })
    s.on('data', (data) => process.stdout.write(data)).on('error', (e) => process.stdout.write(e.code)).on('timeout', () => { process.stdout.write('timeout'); s.destroy() })`
  const process_ = spawn('nsenter', [`--net=/proc/${server.pid}/ns/net`, '--', process.execPath, '-e', serve], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise((resolve) => process_.once('exit', resolve))
  await new Promise((resolve) => process_.stdout.once('data', resolve))
  try {
    return client ? client.run(process.execPath, '-e', ask) : run(process.execPath, '-e', ask)
  } finally {
    process_.kill('SIGKILL')
    await gone
  }
}

const warnings: string[] = []
const log: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: (_, message) => warnings.push(message),
  error: (_, message) => warnings.push(message),
  child: () => log,
}

const library = await openLibrary({ libraryPath })
const links = openNetlink(library)
using firewall = openFirewall(library)

/** A daemon's network, as it opens it at its start. */
async function openService(directory: string): Promise<NetworkService> {
  const database = databases.use(openDatabase(join(directory, 'state.db')))
  return new NetworkService({
    config: { bip: undefined, mtu: 1450 },
    database,
    links,
    firewall,
    log,
    publish: () => undefined,
  })
}

const request = (directory: string) => ({
  mode: 'default',
  name: 'c',
  hostname: 'c',
  domainname: '',
  directory,
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  extraHosts: [],
  ports: { bindings: {}, exposed: [], publishAll: false },
})

ip('link', 'set', 'lo', 'up')
writeFileSync(forwardingFile, '0')
await using root = await tempDirectory()
await using databases = new AsyncDisposableStack()
await using container = await new Namespace().ready()
await using second = await new Namespace().ready()
await using outside = await new Namespace().ready()
connectNeighbour(outside)

const service = await openService(root.path)
const before = run('nft', 'list', 'ruleset')
const plan = await service.openSandbox('a'.repeat(64), request(join(root.path, 'a')))
const address = attach(container, plan)
const secondAddress = attach(second, await service.openSandbox('b'.repeat(64), request(join(root.path, 'b'))))
const hosts = readFileSync(join(root.path, 'a', 'hosts'), 'utf8')

outside.ip('route', 'add', '172.16.0.0/12', 'via', '192.0.2.1')
const seen = {
  neighbourSees: await tryConnection(outside, container, neighbour),
  secondSees: await tryConnection(second, container, secondAddress),
  containerSeesHost: await tryConnection(container, undefined, address),
  neighbourGets: await tryConnection(container, outside, address),
}

// Bridge and table go away while the daemon runs.
const rulesBefore = run('nft', 'list', 'table', 'inet', 'berth')
await links.deleteLink('berth0')
await firewall.removeTable('berth')
await service.openSandbox('d'.repeat(64), request(join(root.path, 'd')))
const rulesAfterFlush = run('nft', 'list', 'table', 'inet', 'berth')
const bridgeAfterDeletion = links.links().find(({ name }) => name === 'berth0')

// A daemon that starts again finds everything as it was; rules of others are named, once.
run('nft', 'add table ip strict; add chain ip strict locked { type filter hook forward priority 10; policy drop; }')
const again = await openService(root.path)
const third = await again.openSandbox('c'.repeat(64), request(join(root.path, 'c')))
const rulesAfter = run('nft', 'list', 'table', 'inet', 'berth')
const forwardingWhile = readFileSync(forwardingFile, 'utf8').trim()
run('nft', 'delete table ip strict')
await again[Symbol.asyncDispose]()
const linksWhileInUse = ip('-o', 'link')
for (const id of ['a', 'b', 'c', 'd']) await again.closeSandbox(id.repeat(64))
await again[Symbol.asyncDispose]()

console.log(
  JSON.stringify({
    before,
    plan,
    third,
    bridgeAfterDeletion,
    hosts,
    ...seen,
    rulesComeBack: rulesBefore === rulesAfterFlush,
    rulesUnchanged: rulesBefore === rulesAfter,
    rules: rulesAfter,
    forwardingWhile,
    linksWhileInUse,
    warnings,
    after: {
      rules: run('nft', 'list', 'ruleset'),
      links: ip('-o', 'link'),
      forwarding: readFileSync(forwardingFile, 'utf8').trim(),
    },
  }),
)
