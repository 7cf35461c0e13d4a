import type { Engines } from '../engine/engines.ts'
import { alternate, median } from '../measure.ts'
import type { Row } from '../table.ts'
import { Containers, difference } from './containers.ts'

const count = 100

/** What a network of one's own adds to a start. */
export async function start({ ours, dockerd, image }: Engines): Promise<Row[]> {
  const [own, peer] = [new Containers(ours, image), new Containers(dockerd, image)]
  for (const engine of [own, peer]) await engine.network('user')
  const samples = await alternate(
    {
      ownNone: () => own.timeStart('none'),
      ownUser: () => own.timeStart('user'),
      peerNone: () => peer.timeStart('none'),
      peerUser: () => peer.timeStart('user'),
    },
    { rounds: 50 },
  )
  for (const engine of [own, peer]) {
    await engine.removeNetwork('user')
    await engine.removeAll()
  }
  const value = difference(samples.peerUser, samples.peerNone)
  return [
    {
      name: 'start on a user network minus start with none',
      ours: difference(samples.ownUser, samples.ownNone),
      peer: { name: 'dockerd 28', value },
      unit: 'ms',
      budget: 0.16,
    },
  ]
}

/** Starts side by side on one network. */
export async function parallel({ ours, dockerd, image }: Engines): Promise<Row[]> {
  const round = (engine: Containers) => async () => {
    await engine.network('crowd')
    const ids = await Promise.all(Array.from({ length: count }, () => engine.create('crowd')))
    const begin = performance.now()
    await Promise.all(ids.map((id) => engine.ask('POST', `/containers/${id}/start`)))
    const took = performance.now() - begin
    await engine.removeAll()
    await engine.removeNetwork('crowd')
    return took
  }
  const subjects = { ours: round(new Containers(ours, image)), peer: round(new Containers(dockerd, image)) }
  const samples = await alternate(subjects, { rounds: 3, warmUp: 1 })
  return [
    {
      name: `${count} starts side by side on one network`,
      ours: median(samples.ours),
      peer: { name: 'dockerd 28', value: median(samples.peer) },
      unit: 'ms',
      budget: 0.4,
    },
  ]
}
