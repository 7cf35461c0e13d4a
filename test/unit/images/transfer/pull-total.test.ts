import { expect, test } from 'vitest'
import { PullTotal } from '#images/transfer/pull-total.ts'

function openScene(sizes: readonly number[]) {
  let nowMs = 0
  const total = new PullTotal(sizes, () => nowMs)
  return {
    wait: (ms: number) => {
      nowMs += ms
    },
    here: (layer: number, current: number) =>
      total.add(layer, { status: 'Downloading', detail: { current, total: sizes[layer] ?? 0 } }).overall,
    complete: (layer: number) => total.add(layer, { status: 'Download complete' }).overall,
    other: (status: string) => total.add(0, { status }).overall,
  }
}

test('bytes of all layers are summed up, with rate and time left', () => {
  const { here, wait } = openScene([4000, 6000])
  expect(here(0, 1000)).toEqual({ current: 1000, total: 10_000 })
  wait(1000)
  expect(here(1, 500)).toEqual({ current: 1500, total: 10_000, bytesPerSecond: 0 })
  wait(1000)
  expect(here(0, 3000)).toEqual({ current: 3500, total: 10_000, bytesPerSecond: 1000, remainingSeconds: 7 })
})

test('the rate is that of the last seconds', () => {
  const { here, wait } = openScene([1_000_000])
  here(0, 0)
  for (let at = 1; at <= 10; at += 1) {
    wait(1000)
    here(0, at * 100)
  }
  for (let at = 1; at <= 6; at += 1) {
    wait(1000)
    here(0, 1000 + at * 10_000)
  }
  expect(here(0, 61_000)).toMatchObject({ bytesPerSecond: 10_000, remainingSeconds: 94 })
})

test('what was here before, or another pull had brought, is no rate', () => {
  const { here, wait, complete } = openScene([5000, 5000])
  here(0, 4000)
  wait(1000)
  expect(complete(1)).toEqual({ current: 9000, total: 10_000, bytesPerSecond: 0 })
  wait(1000)
  expect(complete(0)).toEqual({ current: 10_000, total: 10_000, bytesPerSecond: 500, remainingSeconds: 0 })
})

test('a download that begins again takes its bytes back from the sum, not from the rate', () => {
  const { here, wait } = openScene([10_000])
  here(0, 0)
  wait(1000)
  here(0, 4000)
  wait(1000)
  expect(here(0, 1000)).toEqual({ current: 1000, total: 10_000, bytesPerSecond: 2000, remainingSeconds: 5 })
})

test('lines that tell of no download have no sum', () => {
  const { other } = openScene([10])
  expect(['Waiting', 'Verifying Checksum', 'Extracting', 'Pull complete'].map(other)).toEqual(Array(4).fill(undefined))
})
