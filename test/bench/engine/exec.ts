import { alternate, median, outputOf, timeProcess } from '../measure.ts'
import type { Row } from '../table.ts'
import type { Engines, MeasuredEngine } from './engines.ts'

/** `true` in a running container, through the docker CLI. */
export async function exec({ docker, image, ours, dockerd }: Engines): Promise<Row[]> {
  const subject = async (engine: MeasuredEngine) => {
    const args = ['run', '-d', '--network', 'none', image, 'sleep', '600']
    const id = (await outputOf(docker, args, engine.env)).trim()
    return {
      time: () => timeProcess(docker, ['exec', id, 'true'], engine.env),
      [Symbol.asyncDispose]: async () => void (await outputOf(docker, ['rm', '-f', id], engine.env)),
    }
  }
  await using mine = await subject(ours)
  await using theirs = await subject(dockerd)
  const samples = await alternate({ ours: mine.time, peer: theirs.time }, { rounds: 50 })
  const peer = { name: 'dockerd 28', value: median(samples.peer) }
  return [{ name: 'docker exec true', ours: median(samples.ours), peer, unit: 'ms', budget: 0.4 }]
}
