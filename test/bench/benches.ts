import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
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
    const samples = await alternate({ ours: time(engines.ours), peer: time(engines.dockerd) }, { rounds: 25 })
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

/** Proportional memory of the idle daemon and of a shim. */
async function memory({ docker, ours, image }: Engines): Promise<Row[]> {
  const id = (await outputOf(docker, ['run', '-d', '--network', 'none', image, 'sleep', '600'], ours.env)).trim()
  const shims = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && commandName(name) === 'berth-shim')
    .filter((name) => hasChild(Number(name)))
  const shim = Math.max(...shims.map((name) => pssKilobytes(Number(name))))
  await outputOf(docker, ['rm', '-f', id], ours.env)
  return [
    { name: 'shim, PSS', ours: shim, peer: undefined, unit: 'kB', budget: 150 },
    { name: 'daemon idle, PSS', ours: pssKilobytes(ours.pid) / 1000, peer: undefined, unit: 'MB', budget: 110 },
  ]
}

function commandName(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

function hasChild(pid: number): boolean {
  return execFileSync('sh', ['-c', `cat /proc/${pid}/task/${pid}/children`], { encoding: 'utf8' }).trim() !== ''
}
