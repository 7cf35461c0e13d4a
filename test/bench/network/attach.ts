import type { Engines } from '../engine/engines.ts'
import { alternate, median } from '../measure.ts'
import type { Row } from '../table.ts'
import { Containers } from './containers.ts'

/** A running container joins and leaves a second network. */
export async function attach({ ours, dockerd, image }: Engines): Promise<Row[]> {
  const engines = { ours: new Containers(ours, image), peer: new Containers(dockerd, image) }
  const leaving: Record<'ours' | 'peer', number[]> = { ours: [], peer: [] }
  const subject = async (name: 'ours' | 'peer') => {
    const engine = engines[name]
    await engine.network('first')
    await engine.network('second')
    const { id } = await engine.start('first')
    return async () => {
      const took = await engine.time('POST', '/networks/second/connect', { Container: id })
      leaving[name].push(await engine.time('POST', '/networks/second/disconnect', { Container: id }))
      return took
    }
  }
  const joining = await alternate({ ours: await subject('ours'), peer: await subject('peer') }, { rounds: 40 })
  for (const engine of Object.values(engines)) {
    await engine.removeAll()
    for (const name of ['first', 'second']) await engine.removeNetwork(name)
  }
  const rows = { connect: joining, disconnect: leaving }
  return Object.entries(rows).map(([name, samples]) => ({
    name: `${name} a running container`,
    ours: median(samples.ours),
    peer: { name: 'dockerd 28', value: median(samples.peer) },
    unit: 'ms',
    budget: 0.2,
  }))
}
