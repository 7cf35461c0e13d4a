import { join } from 'node:path'
import type { Engines } from '../engine/engines.ts'
import { outputOf } from '../measure.ts'
import type { Row } from '../table.ts'
import { Containers } from './containers.ts'

interface Answers {
  readonly p50: number
  readonly p99: number
  readonly lost: number
}

const asker = join(import.meta.dirname, 'ask-names.ts')

/** Names of containers, a thousand a second. */
export async function names({ ours, dockerd, image }: Engines): Promise<Row[]> {
  const own = await ask(new Containers(ours, image))
  const peer = await ask(new Containers(dockerd, image))
  if (own.lost > 0) throw new Error(`${own.lost} questions for names had no answer`)
  return (['p50', 'p99'] as const).map((name) => ({
    name: `a container's name, 1,000 a second, ${name}`,
    ours: own[name],
    peer: { name: 'dockerd 28', value: peer[name] },
    unit: 'ms',
    budget: 2,
  }))
}

async function ask(engine: Containers): Promise<Answers> {
  await engine.network('names')
  const asking = await engine.start('names')
  const asked = await engine.start('names')
  const name = asked.id.slice(0, 12)
  const inside = [`--net=/proc/${asking.pid}/ns/net`, process.execPath, asker, name, asked.address]
  const answers = JSON.parse(await outputOf('nsenter', inside)) as Answers
  await engine.removeAll()
  await engine.removeNetwork('names')
  return answers
}
