import { alternate, median, outputOf, timeProcess } from '../measure.ts'
import type { Row } from '../table.ts'
import type { Engines, MeasuredEngine } from './engines.ts'

const count = 32

/** Starts side by side, and the removal of all of them by one command. */
export async function many({ docker, image, ours, dockerd }: Engines): Promise<Row[]> {
  const removals = new Map<MeasuredEngine, number[]>([
    [ours, []],
    [dockerd, []],
  ])
  const round = (engine: MeasuredEngine) => async () => {
    const begin = performance.now()
    const args = ['run', '-d', '--network', 'bridge', image, 'sleep', '600']
    const ids = await Promise.all(Array.from({ length: count }, () => outputOf(docker, args, engine.env)))
    const took = performance.now() - begin
    const removal = await timeProcess(docker, ['rm', '-f', ...ids.map((id) => id.trim())], engine.env)
    removals.get(engine)?.push(removal)
    return took
  }
  const samples = await alternate({ ours: round(ours), peer: round(dockerd) }, { rounds: 5, warmUp: 1 })
  const removal = (engine: MeasuredEngine) => median(removals.get(engine)?.slice(1) ?? [])
  return [
    {
      name: `${count} × docker run -d side by side, bridge`,
      ours: median(samples.ours),
      peer: { name: 'dockerd 28', value: median(samples.peer) },
      unit: 'ms',
      budget: 0.35,
    },
    {
      name: `docker rm -f of ${count}`,
      ours: removal(ours),
      peer: { name: 'dockerd 28', value: removal(dockerd) },
      unit: 'ms',
      budget: 0.24,
    },
  ]
}
