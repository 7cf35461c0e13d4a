import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { busybox, type TestDaemon } from '../support/daemon.ts'
import { waitFor } from '../support/wait-for.ts'
import { random } from './random.ts'

export interface StormOptions {
  readonly cycles: number
  readonly clients: number
  readonly seed: number
}

const networks = ['red', 'green', 'blue']
const namesTaken = 409

/**
 * Clients that make, start, connect, disconnect, stop and remove containers with ports in an order of their own, and compare at each
 * stop of the storm what the daemon remembers with what the kernel has.
 * @returns what was not so, one line each; empty: all is well
 */
export async function runNetworkStorm(daemon: TestDaemon, { cycles, clients, seed }: StormOptions): Promise<string[]> {
  const faults: string[] = []
  for (const Name of networks) await daemon.json('POST', '/networks/create', { Name })
  let left = cycles
  const client = async (number: number): Promise<void> => {
    const next = random(seed + number)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
    while (left > 0) {
      left -= 1
      await cycle(daemon, { pick, port: 10_000 + number }, (fault) => faults.push(fault))
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const kept = await Promise.all(networks.map((name, at) => keep(daemon, name, 20_000 + at)))
  faults.push(...(await compare(daemon)))
  for (const id of kept) await daemon.request('DELETE', `/containers/${id}?force=1`)
  faults.push(...(await compare(daemon)))
  for (const name of networks) await daemon.request('DELETE', `/networks/${name}`)
  return faults
}

/** A container on two networks and with a port, to be compared too. */
async function keep(daemon: TestDaemon, network: string, port: number): Promise<string> {
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['sleep', '600'],
    HostConfig: { NetworkMode: network, PortBindings: { '80/tcp': [{ HostPort: String(port) }] } },
  })
  await daemon.json('POST', `/containers/${Id}/start`)
  await daemon.json('POST', '/networks/bridge/connect', { Container: Id })
  return String(Id)
}

interface Dice {
  readonly pick: <T>(list: readonly T[]) => T
  /** Of this client alone, but for clashes that are wanted. */
  readonly port: number
}

async function cycle(daemon: TestDaemon, { pick, port }: Dice, fault: (text: string) => void): Promise<void> {
  const own = pick(['bridge', ...networks])
  const wanted = pick([port, port, 9999])
  const made = await daemon.request('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['sleep', '600'],
    HostConfig: { NetworkMode: own, PortBindings: { '80/tcp': [{ HostPort: String(wanted) }] } },
  })
  if (made.status !== 201) return fault(`create: ${made.status} ${made.body}`)
  const { Id: id } = JSON.parse(made.body) as { Id: string }
  const steps = [
    () => daemon.request('POST', `/networks/${pick(networks)}/connect`, { Container: id }),
    () => daemon.request('POST', `/networks/${pick([own, ...networks])}/disconnect`, { Container: id }),
    () => daemon.request('POST', `/containers/${id}/start`),
    () => daemon.request('POST', `/containers/${id}/restart?t=0`),
    () => daemon.request('POST', `/containers/${id}/stop?t=0`),
  ]
  for (let i = 0; i < 6; i++) {
    const { status, body } = await pick(steps)()
    const isPort = body.includes('port is already allocated')
    // What the order of the steps makes impossible is refused; nothing else may go wrong.
    const isKnown = [200, 204, 304, 403, namesTaken].includes(status) || body.includes('is not connected to network')
    if (!isKnown && !isPort) fault(`${status} ${body}`)
  }
  const removed = await daemon.request('DELETE', `/containers/${id}?force=1`)
  if (removed.status !== 204) fault(`remove: ${removed.status} ${removed.body}`)
}

interface Remembered {
  readonly endpoints: { readonly id: string; readonly networkId: string; readonly address: number }[]
  readonly ports: number
}

function remembered(daemon: TestDaemon): Remembered {
  const database = new DatabaseSync(join(daemon.dataRoot, 'state.db'), { readOnly: true })
  try {
    const rows = database.prepare('SELECT * FROM endpoints').all()
    return {
      endpoints: rows.map((row) => ({
        id: String(row.id),
        networkId: String(row.network_id),
        address: Number(row.address),
      })),
      ports: rows.flatMap((row) => (JSON.parse(String(row.settings)) as { ports: unknown[] }).ports).length,
    }
  } finally {
    database.close()
  }
}

/** Links and ports of the kernel against the rows; what is being taken down is waited for. */
async function compare(daemon: TestDaemon): Promise<string[]> {
  const beside = async (...command: string[]): Promise<string> => {
    const [file = '', ...args] = [...daemon.enter, ...command]
    return (await promisify(execFile)(file, args)).stdout
  }
  let faults: string[] = []
  const isRight = async (): Promise<boolean> => {
    const { endpoints, ports } = remembered(daemon)
    const links: string[] = (await beside('ip', '-o', 'link')).match(/bth[0-9a-f]{8}/g) ?? []
    const rules = (await beside('nft', 'list', 'ruleset')).match(/(tcp|udp) \. \d+ : /g) ?? []
    const wanted = new Set(endpoints.map(({ id }) => `bth${id.slice(0, 8)}`))
    const addresses = endpoints.map(({ networkId, address }) => `${networkId} ${address}`)
    faults = [
      ...links.filter((link) => !wanted.has(link)).map((link) => `the link ${link} is nobody's`),
      ...[...wanted].filter((link) => !links.includes(link)).map((link) => `the link ${link} is not there`),
      ...(new Set(addresses).size < addresses.length ? ['an address is used twice'] : []),
      ...(rules.length === ports ? [] : [`${ports} ports are published, the firewall has ${rules.length}`]),
    ]
    return faults.length === 0
  }
  await waitFor('database and kernel agree', isRight).catch(() => undefined)
  return faults
}
