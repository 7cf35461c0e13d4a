import { setTimeout as sleep } from 'node:timers/promises'
import { outputOf, pssKilobytes } from '../measure.ts'
import type { Row } from '../table.ts'
import { childrenOf, type Engines, type MeasuredEngine } from './engines.ts'

const count = 32

/** Proportional memory of the idle daemon with all its processes, of one shim, and of everything with 32 containers. */
export async function memory({ docker, ours, dockerd, image }: Engines): Promise<Row[]> {
  const idle = await settled(() => all(ours))
  const start = (env: NodeJS.ProcessEnv) =>
    outputOf(docker, ['run', '-d', '--network', 'bridge', image, 'sleep', '600'], env)
  const ids: Record<'ours' | 'peer', string[]> = { ours: [], peer: [] }
  for (let n = 0; n < count; n += 1) {
    ids.ours.push((await start(ours.env)).trim())
    ids.peer.push((await start(dockerd.env)).trim())
  }
  // A shim gives memory back a second after its last work.
  const [loaded, peer] = [await settled(() => all(ours)), all(dockerd)]
  const shims = childrenOf(ours.pid).filter((pid) => childrenOf(pid).length > 0)
  const shim = Math.max(...shims.map(pssKilobytes))
  await outputOf(docker, ['rm', '-f', ...ids.ours], ours.env)
  await outputOf(docker, ['rm', '-f', ...ids.peer], dockerd.env)
  return [
    { name: 'one of 32 shims, PSS', ours: shim, peer: undefined, unit: 'kB', budget: 150 },
    { name: 'engine idle, all processes, PSS', ours: idle, peer: undefined, unit: 'MB', budget: 90 },
    {
      name: 'engine with 32 containers, PSS',
      ours: loaded,
      peer: { name: 'dockerd 28', value: peer },
      unit: 'MB',
      budget: 0.7,
    },
  ]
}

const all = ({ processes }: MeasuredEngine) => processes().reduce((sum, pid) => sum + pssKilobytes(pid), 0) / 1000

/** The figure when it has been the same, give or take a hundredth, for two seconds. */
async function settled(read: () => number): Promise<number> {
  let [value, since] = [read(), performance.now()]
  while (performance.now() - since < 2000) {
    await sleep(100)
    const next = read()
    if (Math.abs(next - value) > value / 100) [value, since] = [next, performance.now()]
  }
  return value
}
