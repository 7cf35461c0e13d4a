import { alternate, median, quantile, timeProcess } from '../measure.ts'
import type { Row } from '../table.ts'
import { assertNothingSkipped } from './assertions.ts'
import type { Engines, MeasuredEngine } from './engines.ts'

/** Start and exit of `true` through the docker CLI. */
export async function run(engines: Engines): Promise<Row[]> {
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
export async function startup({ berth, ours }: Engines): Promise<Row[]> {
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
