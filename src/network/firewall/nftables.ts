import { type ChildProcess, spawn } from 'node:child_process'
import { internal, systemCode, timeout, unavailable } from '#base/errors.ts'
import { type PortRule, type Rules, renderPorts, renderRemoval, renderTable } from './rules.ts'

const timeoutMs = 10_000
const outputLimit = 4 << 20

/** The host's firewall, written by nft(8) as one transaction each. */
export interface Firewall {
  /** Replaces the whole table. */
  apply(rules: Rules): Promise<void>
  /** Takes the table away; success when there is none. */
  remove(table: string): Promise<void>
  addPorts(table: string, ports: readonly PortRule[]): Promise<void>
  /** @throws `internal` when one of them is not there, and takes none away then */
  removePorts(table: string, ports: readonly PortRule[]): Promise<void>
  /** Chains of others, in any table, that drop forwarded traffic by default: "ip filter FORWARD". */
  droppingForward(): Promise<string[]>
}

export const nftables: Firewall = {
  async apply(rules) {
    await nft(['-f', '-'], renderTable(rules))
  },
  async remove(table) {
    await nft(['-f', '-'], renderRemoval(table))
  },
  async addPorts(table, ports) {
    await nft(['-f', '-'], renderPorts('add', table, ports))
  },
  async removePorts(table, ports) {
    await nft(['-f', '-'], renderPorts('delete', table, ports))
  },
  async droppingForward() {
    return chainsThatDrop(await nft(['-j', 'list', 'chains'], ''))
  },
}

/** @param json what `nft -j list chains` prints */
export function chainsThatDrop(json: string): string[] {
  const { nftables: objects } = JSON.parse(json) as { nftables: readonly { chain?: Chain }[] }
  return objects.flatMap(({ chain }) => {
    const drops = chain?.hook === 'forward' && chain.policy === 'drop' && ['inet', 'ip'].includes(chain.family)
    return drops ? [`${chain.family} ${chain.table} ${chain.name}`] : []
  })
}

interface Chain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly hook?: string
  readonly policy?: string
}

/** @returns what it printed   @throws `unavailable` when nft is missing or may not, `internal` when it refuses */
function nft(args: readonly string[], input: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // A service's PATH often lacks the directories of root's programs.
  const env = { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }
  const child = spawn('nft', args, { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' })
  const output = { stdout: '', stderr: '' }
  child.on('error', (cause) => {
    const missing = systemCode(cause) === 'ENOENT'
    reject(
      unavailable(missing ? 'nft is not installed: bridge networks need the package nftables' : 'cannot run nft', {
        code: 'nft-unavailable',
        cause,
      }),
    )
  })
  // Without a descriptor to spare the child has no streams, and only its error tells so.
  const { stdin, stdout, stderr }: ChildProcess = child
  for (const [name, stream] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      if (output[name].length < outputLimit) output[name] += chunk
    })
  }
  child.on('close', (code, signal) => {
    if (code === 0) resolve(output.stdout)
    else if (signal) reject(timeout(`nft did not finish within ${timeoutMs / 1000} s`))
    else reject(internal(`nft ${args.join(' ')} failed: ${output.stderr.trim().slice(0, 1000)}`))
  })
  // nft that dies early closes its end; its own exit tells why.
  stdin?.on('error', () => undefined)
  stdin?.end(input)
  return promise
}
