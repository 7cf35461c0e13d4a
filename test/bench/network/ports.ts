import type { Engines } from '../engine/engines.ts'
import { alternate, median } from '../measure.ts'
import type { Row } from '../table.ts'
import { Containers, difference } from './containers.ts'

const portsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, at) => first + at)

/** What published ports add to a start. Engines share the host, so each has ports of its own. */
export async function ports({ ours, dockerd, image }: Engines): Promise<Row[]> {
  const [own, peer] = [new Containers(ours, image), new Containers(dockerd, image)]
  const one = await alternate(
    {
      ownNone: () => own.timeStart('bridge'),
      ownOne: () => own.timeStart('bridge', [20_000]),
    },
    { rounds: 40 },
  )
  const many = await alternate(
    {
      own: () => own.timeStart('bridge', portsFrom(20_000, 1000)),
      peer: () => peer.timeStart('bridge', portsFrom(30_000, 1000)),
    },
    // The peer takes a minute or more.
    { rounds: 1, warmUp: 0 },
  )
  const most = await own.timeStart('bridge', portsFrom(20_000, 10_000))
  for (const engine of [own, peer]) await engine.removeAll()
  const bare = median(one.ownNone)
  return [
    {
      name: 'publishing one port',
      ours: difference(one.ownOne, one.ownNone),
      peer: undefined,
      unit: 'ms',
      budget: 3,
    },
    {
      name: 'publishing 1,000 ports',
      ours: median(many.own) - bare,
      peer: { name: 'dockerd 28', value: median(many.peer) },
      unit: 'ms',
      budget: 0.03,
    },
    { name: 'publishing 10,000 ports', ours: most - bare, peer: undefined, unit: 'ms', budget: 1000 },
  ]
}
