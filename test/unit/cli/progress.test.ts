import { expect, test } from 'vitest'
import type { ProgressMessage } from '#cli/client/wire.ts'
import { showProgress } from '#cli/output/progress.ts'
import { memoryOutput } from './memory-cli.ts'

const pull: readonly ProgressMessage[] = [
  { status: 'Pulling from library/busybox', id: 'latest' },
  { status: 'Pulling fs layer', id: 'aaaaaaaaaaaa', progressDetail: {} },
  { status: 'Already exists', id: 'bbbbbbbbbbbb', progressDetail: {} },
  { status: 'Downloading', id: 'aaaaaaaaaaaa', progressDetail: { current: 500_000, total: 2_000_000 } },
  { status: 'Downloading', id: 'aaaaaaaaaaaa', progressDetail: { current: 2_000_000, total: 2_000_000 } },
  { status: 'Pull complete', id: 'aaaaaaaaaaaa', progressDetail: {} },
  { status: 'Digest: sha256:1234' },
  { status: 'Status: Downloaded newer image for busybox:latest' },
]

async function* streamOf<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}

test('a file gets a line for every change and none that only counts bytes', async () => {
  const output = memoryOutput()
  await showProgress(streamOf(pull), output)
  expect(output.text().split('\n')).toEqual([
    'latest: Pulling from library/busybox',
    'aaaaaaaaaaaa: Pulling fs layer',
    'bbbbbbbbbbbb: Already exists',
    'aaaaaaaaaaaa: Pull complete',
    'Digest: sha256:1234',
    'Status: Downloaded newer image for busybox:latest',
    '',
  ])
})

test('a terminal gets a bar for a layer and a line for the whole', async () => {
  const output = memoryOutput({ isTerminal: true, columns: 120 })
  await showProgress(streamOf(pull), output, () => 0)
  const frames = output.text().split('\x1b[J')
  const bar = frames.find((frame) => frame.includes('Downloading'))
  expect(bar?.split('\n').slice(0, -1)).toEqual([
    'latest: Pulling from library/busybox',
    `aaaaaaaaaaaa: Downloading  [${'='.repeat(12)}>${' '.repeat(37)}]  500kB/2MB`,
    'bbbbbbbbbbbb: Already exists',
    'Total: 1/2 layers, downloading 500kB/2MB',
  ])
})

test.each([
  [{ current: 500_000, total: 2_000_000 }, 'downloading 500kB/2MB'],
  [
    { current: 5_000_000, total: 20_000_000, bytesPerSecond: 2_000_000, remainingSeconds: 8 },
    'downloading 5MB/20MB, 2MB/s, 8s left',
  ],
  [
    { current: 1, total: 9e9, bytesPerSecond: 2_000_000, remainingSeconds: 125 },
    'downloading 1B/9GB, 2MB/s, 2m05s left',
  ],
  [
    { current: 1, total: 9e9, bytesPerSecond: 1_000_000, remainingSeconds: 9000 },
    'downloading 1B/9GB, 1MB/s, 2h30m left',
  ],
  [{ current: 1, total: 9e9, bytesPerSecond: 0 }, 'downloading 1B/9GB, 0B/s'],
  [{ current: 20_000_000, total: 20_000_000, bytesPerSecond: 2_000_000, remainingSeconds: 0 }, '20MB downloaded'],
])('what the engine sums up as %j stands in the line for the whole', async (overall, text) => {
  const output = memoryOutput({ isTerminal: true, columns: 120 })
  const progressDetail = { current: 1, total: 2 }
  await showProgress(
    streamOf([{ status: 'Downloading', id: 'aaaaaaaaaaaa', progressDetail, overall }]),
    output,
    () => 0,
  )
  expect(output.text()).toContain(`Total: 0/1 layers, ${text}\n`)
})

test('a push counts what is taken over and what is there as done', async () => {
  const output = memoryOutput({ isTerminal: true, columns: 80 })
  const push: readonly ProgressMessage[] = [
    { status: 'Layer already exists', id: 'aaaaaaaaaaaa', progressDetail: {} },
    { status: 'Mounted from library/busybox', id: 'bbbbbbbbbbbb', progressDetail: {} },
    { status: 'Pushing', id: 'cccccccccccc', progressDetail: { current: 500_000, total: 2_000_000 } },
  ]
  await showProgress(streamOf(push), output, () => 0)
  expect(output.text()).toContain('Total: 2/3 layers, pushing 500kB/2MB\n')
})

test('what stays on a terminal is every layer and the closing lines', async () => {
  const output = memoryOutput({ isTerminal: true, columns: 80 })
  await showProgress(streamOf(pull), output)
  expect(screenOf(output.text())).toEqual([
    'latest: Pulling from library/busybox',
    'aaaaaaaaaaaa: Pull complete',
    'bbbbbbbbbbbb: Already exists',
    'Digest: sha256:1234',
    'Status: Downloaded newer image for busybox:latest',
  ])
})

test('more layers than the screen has lines never move the cursor above it', async () => {
  const output = memoryOutput({ isTerminal: true, columns: 80, rows: 6 })
  const layers = Array.from({ length: 20 }, (_, at) => ({ status: 'Waiting', id: `layer${at}`, progressDetail: {} }))
  await showProgress(streamOf(layers), output)
  const ups = [...output.text().matchAll(/\x1b\[(\d+)A/g)].map(([, count]) => Number(count))
  expect(Math.max(...ups)).toBeLessThan(6)
})

test('an error in the stream is thrown in its words', async () => {
  const messages = [
    { status: 'Waiting', id: 'a' },
    { errorDetail: { message: 'manifest unknown' }, error: 'manifest unknown' },
  ]
  await expect(showProgress(streamOf(messages), memoryOutput())).rejects.toThrow('manifest unknown')
})

/** The lines that a terminal shows after these bytes. */
function screenOf(bytes: string): string[] {
  const lines: string[] = []
  for (const part of bytes.split(/(?=\x1b\[\d+A)/)) {
    const up = /^\x1b\[(\d+)A/.exec(part)
    if (up) lines.length -= Number(up[1])
    const text = part.replace(/^\x1b\[\d+A/, '').replaceAll(/\r?\x1b\[J/g, '')
    lines.push(...text.split('\n').slice(0, -1))
  }
  return lines
}
