import assert from 'node:assert/strict'
import { createWriteStream } from 'node:fs'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempDirectory } from '../../support/temp.ts'
import { alternate, median, outputOf, timeProcess } from '../measure.ts'
import type { Row } from '../table.ts'
import type { Engines, MeasuredEngine } from './engines.ts'

const lineBytes = 100
const lines = 2_000_000
const totalBytes = lines * lineBytes
const frameBytes = 8

/** 200 MB in lines of 100 bytes: written by a detached container, read back over the socket, and the last second of them looked for. */
export async function logs({ docker, image, ours, dockerd }: Engines): Promise<Row[]> {
  await using directory = await tempDirectory('berth-bench-lines-')
  const file = `${directory.path}/lines`
  await pipeline(Readable.from(blocks()), createWriteStream(file))
  const written = new Map<MeasuredEngine, string>()
  const write = (engine: MeasuredEngine) => async () => {
    const last = written.get(engine)
    if (last) await outputOf(docker, ['rm', last], engine.env)
    const begin = performance.now()
    const args = ['run', '-d', '--network', 'none', '-v', `${file}:/lines:ro`, image, 'cat', '/lines']
    const id = (await outputOf(docker, args, engine.env)).trim()
    assert.equal((await outputOf(docker, ['wait', id], engine.env)).trim(), '0')
    written.set(engine, id)
    return performance.now() - begin
  }
  const idOf = (engine: MeasuredEngine) => written.get(engine) ?? ''
  const read = (engine: MeasuredEngine) => () => readBack(engine, idOf(engine))
  const look = (engine: MeasuredEngine) => () =>
    timeProcess(docker, ['logs', '--since', '1s', idOf(engine)], engine.env)

  const few = { rounds: 3, warmUp: 1 }
  const writing = await alternate({ ours: write(ours), peer: write(dockerd) }, few)
  const reading = await alternate({ ours: read(ours), peer: read(dockerd) }, few)
  await sleep(1500)
  const looking = await alternate({ ours: look(ours), peer: look(dockerd) }, few)
  for (const engine of [ours, dockerd]) await outputOf(docker, ['rm', idOf(engine)], engine.env)
  const row = (name: string, samples: Record<'ours' | 'peer', number[]>, budget: number): Row => ({
    ...{ name, unit: 'ms', budget },
    ours: median(samples.ours),
    peer: { name: 'dockerd 28', value: median(samples.peer) },
  })
  return [
    row('200 MB of output, 100-byte lines, detached', writing, 0.305),
    row('the same, read back over the socket', reading, 0.167),
    row('docker logs --since 1s of it', looking, 0.016),
  ]
}

function* blocks(): Generator<Buffer> {
  const line = `${'x'.repeat(lineBytes - 1)}\n`
  const block = Buffer.from(line.repeat(10_000))
  for (let n = 0; n < lines / 10_000; n += 1) yield block
}

/** Milliseconds; checks that not a byte is missing. */
async function readBack({ env }: MeasuredEngine, id: string): Promise<number> {
  const begin = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const socketPath = env.DOCKER_HOST?.replace('unix://', '')
  request({ socketPath, path: `/v1.44/containers/${id}/logs?stdout=1&stderr=1`, agent: false }, (response) => {
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    response.on('end', () => resolve(bytes))
  })
    .on('error', reject)
    .end()
  assert.equal(await promise, totalBytes + lines * frameBytes)
  return performance.now() - begin
}
