import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { waitFor } from '../../support/wait-for.ts'
import type { Engines } from '../engine/engines.ts'
import { alternate, endProcess, median, outputOf } from '../measure.ts'
import type { Row } from '../table.ts'
import { Containers } from './containers.ts'

const seconds = 2
const hostPorts = { ours: 25_201, peer: 35_201 }

/** Bytes between network namespaces by iperf3 (Debian), which runs in those of containers: milliseconds for a gigabyte. */
export async function throughput({ ours, dockerd, image }: Engines): Promise<Row[]> {
  const paths = {
    'container to container': (at: Place) => ({ from: at.client, address: at.address, port: 5201 }),
    'host to container': (at: Place) => ({ from: undefined, address: at.address, port: 5201 }),
    'host to published port': (at: Place) => ({ from: undefined, address: at.gateway, port: at.hostPort }),
  }
  await using undo = new AsyncDisposableStack()
  const places = {
    ours: await prepare(new Containers(ours, image), hostPorts.ours, undo),
    peer: await prepare(new Containers(dockerd, image), hostPorts.peer, undo),
  }
  const rows: Row[] = []
  for (const [name, path] of Object.entries(paths)) {
    const run = (place: Place) => () => measure(path(place))
    const samples = await alternate({ ours: run(places.ours), peer: run(places.peer) }, { rounds: 5, warmUp: 1 })
    const peer = { name: 'dockerd 28', value: median(samples.peer) }
    // 98 % of the peer's bytes; what a busy machine adds falls on both.
    rows.push({ name: `1 GB, ${name}`, ours: median(samples.ours), peer, unit: 'ms', budget: 1.02 })
  }
  return rows
}

interface Place {
  /** Process ID in whose network namespace the client runs. */
  readonly client: number
  readonly address: string
  readonly gateway: string
  readonly hostPort: number
}

async function prepare(engine: Containers, hostPort: number, undo: AsyncDisposableStack): Promise<Place> {
  undo.defer(() => engine.removeAll())
  const { pid: client } = await engine.start('bridge')
  const id = await engine.create('bridge', [hostPort])
  await engine.ask('POST', `/containers/${id}/start`)
  const { State, NetworkSettings } = (await engine.ask('GET', `/containers/${id}/json`)) as {
    State: { Pid: number }
    NetworkSettings: { Networks: { bridge: { IPAddress: string; Gateway: string } } }
  }
  const { IPAddress: address, Gateway: gateway } = NetworkSettings.Networks.bridge
  for (const port of [5201, hostPort]) await serve(State.Pid, port, undo)
  return { client, address, gateway, hostPort }
}

async function serve(pid: number, port: number, undo: AsyncDisposableStack): Promise<void> {
  const args = [`--net=/proc/${pid}/ns/net`, 'iperf3', '--server', '--port', String(port)]
  const server = spawn('nsenter', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  await once(server, 'spawn')
  undo.defer(() => endProcess(server))
  const listening = async () =>
    (await outputOf('nsenter', [`--net=/proc/${pid}/ns/net`, 'ss', '-Hltn'])).includes(`:${port} `)
  await waitFor('iperf3 listens (is it installed?)', listening, { timeoutMs: 10_000, intervalMs: 20 })
}

async function measure(path: { from: number | undefined; address: string; port: number }): Promise<number> {
  const enter = path.from === undefined ? [] : ['nsenter', `--net=/proc/${path.from}/ns/net`]
  const client = ['iperf3', '--json', '--time', String(seconds), '--client', path.address, '--port', String(path.port)]
  const [command = '', ...args] = [...enter, ...client]
  const { end } = JSON.parse(await outputOf(command, args)) as { end: { sum_received: { bits_per_second: number } } }
  return (8e9 / end.sum_received.bits_per_second) * 1000
}
