import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertNothingSkipped } from './assertions.ts'
import type { Engines, MeasuredEngine } from './engines.ts'
import { alternate, median, outputOf, pssKilobytes, quantile, timeProcess } from './measure.ts'
import type { Row } from './table.ts'

/** Each bench by name; it gives rows for the table. */
export const benches: Readonly<Record<string, (engines: Engines) => Promise<Row[]>>> = { run, startup, memory }

/** Start and exit of `true` through the docker CLI. */
async function run(engines: Engines): Promise<Row[]> {
  const rows: Row[] = []
  for (const network of ['none', 'bridge']) {
    await assertNothingSkipped(engines, network)
    const args = ['run', '--rm', '--network', network, engines.image, 'true']
    const time = (engine: MeasuredEngine) => () => timeProcess(engines.docker, args, engine.env)
    const samples = await alternate({ ours: time(engines.ours), peer: time(engines.dockerd) }, { rounds: 100 })
    const name = `docker run --rm true, ${network}`
    rows.push({
      name,
      ours: median(samples.ours),
      peer: { name: 'dockerd 28', value: median(samples.peer) },
      unit: 'ms',
      budget: 0.35,
    })
    rows.push({
      name: `${name}: p99 / p50`,
      ours: quantile(samples.ours, 0.99),
      peer: { name: 'own median', value: median(samples.ours) },
      unit: 'ms',
      budget: 3,
    })
  }
  return rows
}

/** The command line's own start. */
async function startup({ berth, ours }: Engines): Promise<Row[]> {
  const samples = await alternate(
    {
      node: () => timeProcess(process.execPath, ['-e', '0']),
      version: () => timeProcess(berth, ['version'], { ...ours.env, BERTH_HOST: ours.env.DOCKER_HOST }),
    },
    { rounds: 25 },
  )
  const peer = { name: 'node -e 0', value: median(samples.node) }
  return [{ name: 'berth version', ours: median(samples.version), peer, unit: 'ms', budget: 2.5 }]
}

/** Proportional memory of the idle daemon and of its shims, one of which keeps a container. */
async function memory({ docker, ours, image }: Engines): Promise<Row[]> {
  const id = (await outputOf(docker, ['run', '-d', '--network', 'none', image, 'sleep', '600'], ours.env)).trim()
  const keepers = childrenOf(ours.pid).filter((pid) => childrenOf(pid).length > 0)
  // A shim gives memory back a second after its last work.
  const shim = await settled(() => Math.max(...keepers.map(pssKilobytes)))
  await outputOf(docker, ['rm', '-f', id], ours.env)
  return [
    { name: 'shim, PSS', ours: shim, peer: undefined, unit: 'kB', budget: 150 },
    { name: 'daemon idle, PSS', ours: pssKilobytes(ours.pid) / 1000, peer: undefined, unit: 'MB', budget: 110 },
  ]
}

/** The figure when it has been the same for two seconds. */
async function settled(read: () => number): Promise<number> {
  let [value, since] = [read(), performance.now()]
  while (performance.now() - since < 2000) {
    await sleep(100)
    const next = read()
    if (next !== value) [value, since] = [next, performance.now()]
  }
  return value
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}
