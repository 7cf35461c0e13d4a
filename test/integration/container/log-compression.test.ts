/** Rotated logs are compressed, by whoever keeps the container, and read as if they were not. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { waitFor } from '#test/support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

/** What compresses has the lowest priority. */
const patience = { timeoutMs: 90_000 }
const compressed = ['--log-opt', 'max-size=10k', '--log-opt', 'compress=true']
const count = (from: number, to: number) => `i=${from}; while [ $i -lt ${to} ]; do echo "line $i"; i=$((i+1)); done`
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)
const directoryOf = (id: string) => join(daemon.dataRoot, 'containers', id)
const logsOf = async (...args: string[]) => (await daemon.docker('logs', ...args)).stdout.trimEnd().split('\n')
const filesOf = async (id: string) => (await readdir(directoryOf(id))).filter((name) => /\.(\d+|gz|part)$/.test(name))

/** All rotated files are compressed, and nothing is in the making. */
const settled = (id: string, least: number) =>
  waitFor(
    'the rotated files are compressed',
    async () => {
      const names = await filesOf(id)
      return names.length >= least && names.every((name) => name.endsWith('.gz'))
    },
    patience,
  )

test('every line is there once, in order, from the beginning, a tail and a time on', async () => {
  const options = ['--network', 'none', ...compressed, '--log-opt', 'max-file=100']
  const script = `${count(0, 1000)}; sleep 1.5; ${count(1000, 2000)}; exec sleep 600`
  const id = await daemon.runDetached(...options, busybox, 'sh', '-c', script)
  await waitFor('the last line is written', async () => (await logsOf('--tail', '1', id))[0] === 'line 1999', patience)
  const records = (await logsOf('-t', id)).map((line) => line.split(' ')[0] ?? '')
  await settled(id, 10)
  expect(await logsOf(id)).toEqual(lines(0, 2000))
  for (const tail of [1, 50, 1234]) expect(await logsOf('--tail', String(tail), id)).toEqual(lines(2000 - tail, 2000))
  expect(await logsOf('--since', records[1000] ?? '', id)).toEqual(lines(1000, 2000))
  expect(await logsOf('--until', records[999] ?? '', id)).toEqual(lines(0, 1000))
  expect((await readdir(directoryOf(id))).filter((name) => name.endsWith('.reading'))).toEqual([])
  // For whoever looks with other tools.
  const [packed = ''] = (await filesOf(id)).filter((name) => name.endsWith('.1.gz'))
  const plain = await daemon.run(['zcat', join(directoryOf(id), packed)])
  expect(plain.stdout).toMatch(/^\{"log":"line 1\d+\\n","stream":"stdout",/)
})

test('whoever follows misses nothing and gets nothing twice', async () => {
  const options = ['--network', 'none', ...compressed, '--log-opt', 'max-file=100']
  const id = await daemon.runDetached(
    ...options,
    busybox,
    'sh',
    '-c',
    `${count(0, 3000)}; sleep 0.2; ${count(3000, 4000)}`,
  )
  expect(await logsOf('-f', id)).toEqual(lines(0, 4000))
})

test('the oldest files go, and a daemon that is dead is not needed', async () => {
  const place = join(daemon.directory, 'go')
  await mkdir(place)
  const options = ['--network', 'none', '-v', `${place}:/go`, ...compressed, '--log-opt', 'max-file=4']
  const script = `until [ -e /go/now ]; do sleep 0.05; done; ${count(0, 1500)}; touch /go/done; exec sleep 600`
  const id = await daemon.runDetached(...options, busybox, 'sh', '-c', script)
  await daemon.kill9()
  await writeFile(join(place, 'now'), '')
  await waitFor('all is written', async () => (await readdir(place)).includes('done'), patience)
  await settled(id, 3)
  await daemon.start()
  const seen = await logsOf(id)
  expect(seen).toEqual(lines(1500 - seen.length, 1500))
  expect(seen.length).toBeGreaterThan(300)
  await daemon.docker('restart', '-t', '0', id)
  await settled(id, 3)
})

test('the driver local compresses unless it is told not to', async () => {
  const run = (...options: string[]) =>
    daemon.runDetached(
      ...['--network', 'none', '--log-driver', 'local', '--log-opt', 'max-size=10k', ...options],
      ...[busybox, 'sh', '-c', `${count(0, 500)}; exec sleep 600`],
    )
  const [on, off] = [await run(), await run('--log-opt', 'compress=false')]
  await settled(on, 3)
  await waitFor('the last line is written', async () => (await logsOf('--tail', '1', off))[0] === 'line 499', patience)
  expect((await filesOf(off)).some((name) => name.endsWith('.gz'))).toBe(false)
  expect(await logsOf(on)).toEqual(lines(0, 500))
})
