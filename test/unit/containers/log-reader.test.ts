import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatNanos, parseNanos } from '#base/timestamp.ts'
import { type ReadOptions, readLog } from '#containers/logs/log-reader.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-log-'))
  path = join(directory, 'x-json.log')
})
afterEach(() => rm(directory, { recursive: true }))

const second = 1_000_000_000n
const record = (n: number, stream = 'stdout') =>
  `${JSON.stringify({ log: `line ${n}\n`, stream, time: formatNanos(BigInt(n) * second) })}\n`
const records = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => record(from + n)).join('')

const never = new AbortController().signal
const everything = {
  stdout: true,
  stderr: true,
  tail: undefined,
  since: undefined,
  until: undefined,
  follow: undefined,
  cancelled: never,
}

async function read(options: Partial<ReadOptions> = {}): Promise<number[]> {
  const lines: number[] = []
  for await (const entry of entriesOf(options)) lines.push(numberOf(entry))
  return lines
}
async function* entriesOf(options: Partial<ReadOptions>) {
  for await (const batch of readLog(path, { ...everything, ...options })) yield* batch
}
const numberOf = (entry: { readonly line: Buffer } | undefined) => Number(String(entry?.line).slice(5))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

test('a log that was never written is empty', async () => {
  expect(await read()).toEqual([])
  expect(await read({ tail: 5 })).toEqual([])
})

test('rotated parts come first, the oldest leading', async () => {
  await writeFile(`${path}.2`, records(1, 3))
  await writeFile(`${path}.1`, records(4, 6))
  await writeFile(path, records(7, 8))
  expect(await read()).toEqual(range(1, 8))
  for (const tail of [0, 1, 2, 3, 5, 8, 100])
    expect(await read({ tail })).toEqual(range(1, 8).slice(8 - Math.min(tail, 8)))
})

test('the tail of a long log is exact', async () => {
  await writeFile(path, records(1, 20_000))
  expect(await read({ tail: 7000 })).toEqual(range(13_001, 20_000))
})

test('since finds its place in a long log, until ends it', async () => {
  await writeFile(path, records(1, 20_000))
  expect(await read({ since: 19_990n * second })).toEqual(range(19_990, 20_000))
  expect(await read({ since: 5n * second, until: 8n * second })).toEqual(range(5, 8))
  expect(await read({ since: 30_000n * second })).toEqual([])
})

test('torn and foreign lines are passed over, streams are told apart', async () => {
  await writeFile(path, `${record(1)}{"log":"torn\nnot json\n${record(2, 'stderr')}`)
  expect(await read()).toEqual([1, 2])
  expect(await read({ stdout: false })).toEqual([2])
})

test('entries are what the records say, whoever wrote them, with times when they are asked for', async () => {
  const entries = [
    { log: 'plain\n', stream: 'stderr', time: '2026-01-02T03:04:05.000000006Z' },
    { log: 'no end', stream: 'stdout', time: '2026-01-02T03:04:05Z' },
    { log: '', stream: 'stdout', time: '2026-01-02T03:04:05.1Z' },
    { log: '\n', stream: 'stdout', time: '2026-01-02T03:04:05.1Z' },
    { log: 'back\\slash\n\n', stream: 'stdout', time: '2026-01-02T03:04:05.1Z' },
    { log: '","stream":"stderr","time":"2026-01-02T03:04:05.1Z"}\n', stream: 'stdout', time: '2026-01-02T03:04:06Z' },
    { log: 'with an offset\n', stream: 'stdout', time: '2026-01-02T05:04:06+02:00' },
  ]
  const other = { time: '2026-01-02T03:04:07Z', attrs: { tag: 'x' }, stream: 'stderr', log: 'another order\n' }
  await writeFile(path, [...entries, other].map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  const read: object[] = []
  for await (const { line, stream, time } of entriesOf({})) read.push({ log: String(line), stream, time })
  expect(read).toEqual([...entries, other].map(({ log, stream, time }) => ({ log, stream, time: parseNanos(time) })))
})

test('following goes through rotations and ends when the container has ended', async () => {
  await writeFile(path, records(1, 2))
  const ended = new AbortController()
  const entries = entriesOf({ follow: { ended: ended.signal }, tail: 1 })
  const next = async () => numberOf((await entries.next()).value ?? undefined)
  expect(await next()).toBe(2)
  await appendFile(path, records(3, 4))
  await rename(path, `${path}.1`)
  await appendFile(`${path}.1`, records(5, 5))
  await writeFile(path, records(6, 6))
  await rename(`${path}.1`, `${path}.2`)
  await rename(path, `${path}.1`)
  await writeFile(path, records(7, 7))
  for (const expected of range(3, 7)) expect(await next()).toBe(expected)
  await appendFile(path, records(8, 8))
  ended.abort()
  expect(await next()).toBe(8)
  expect((await entries.next()).done).toBe(true)
})

test('following goes on with a file that began again empty', async () => {
  await writeFile(path, records(1, 5))
  const ended = new AbortController()
  const entries = entriesOf({ follow: { ended: ended.signal } })
  const next = async () => numberOf((await entries.next()).value ?? undefined)
  for (const expected of range(1, 5)) expect(await next()).toBe(expected)
  await truncate(path)
  await appendFile(path, records(6, 7))
  expect([await next(), await next()]).toEqual([6, 7])
  ended.abort()
  expect((await entries.next()).done).toBe(true)
})

test('cancelling ends a follower at once', async () => {
  await writeFile(path, records(1, 1))
  const cancelled = new AbortController()
  const following = read({ follow: { ended: never }, cancelled: cancelled.signal })
  setImmediate(() => cancelled.abort())
  expect((await following).length).toBeLessThanOrEqual(1)
})
