import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { outputOf, quantile } from '../measure.ts'
import type { Row } from '../table.ts'
import type { Engines } from './engines.ts'

const count = 200
const perSecond = 50
const seconds = 10

/** The list of 200 containers, 50 times a second, while the shim of one of them does not answer. */
export async function list({ docker, image, ours }: Engines): Promise<Row[]> {
  const socketPath = ours.env.DOCKER_HOST?.replace('unix://', '')
  const running = await outputOf(docker, ['run', '-d', '--network', 'none', image, 'sleep', '600'], ours.env)
  const ids = [running.trim()]
  while (ids.length < count) ids.push((await outputOf(docker, ['create', image, 'true'], ours.env)).trim())
  const pid = Number(await outputOf(docker, ['inspect', '-f', '{{.State.Pid}}', ids[0] ?? ''], ours.env))
  const shim = Number(/\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  process.kill(shim, 'SIGSTOP')
  const samples: Promise<number>[] = []
  try {
    for (let n = 0; n < perSecond * seconds; n += 1) {
      samples.push(timeRequest(socketPath))
      await sleep(1000 / perSecond)
    }
  } finally {
    process.kill(shim, 'SIGCONT')
  }
  const times = await Promise.all(samples)
  await outputOf(docker, ['rm', '-f', ...ids], ours.env)
  const p99 = quantile(times, 0.99)
  return [{ name: `list of ${count} containers, p99`, ours: p99, peer: undefined, unit: 'ms', budget: 20 }]
}

function timeRequest(socketPath: string | undefined): Promise<number> {
  const begin = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  request({ socketPath, path: '/v1.44/containers/json?all=1', agent: false }, (response) => {
    response.resume().on('end', () => resolve(performance.now() - begin))
  })
    .on('error', reject)
    .end()
  return promise
}
