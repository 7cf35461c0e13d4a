import { randomBytes } from 'node:crypto'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { openTestImages } from '#test/support/images.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'

let registry: TestRegistry
const imageOf = (bytes: number) => buildImage({ layers: [tar([{ name: 'file', content: randomBytes(bytes) }])] })

beforeAll(async () => {
  registry = await startRegistry()
  await registry.push('small:latest', imageOf(1 << 20))
  await registry.push('large:latest', imageOf(8 << 20))
})
afterAll(() => registry[Symbol.asyncDispose]())

test('a pull above the budget is refused before its layers come, and what is there can go', async () => {
  await using images = await openTestImages({ disk: { budget: { bytes: 10 << 20 } } })
  await images.pull(`${registry.host}/small`)
  const before = await images.footprint()
  await expect(images.pull(`${registry.host}/large`)).rejects.toMatchObject({
    kind: 'no-space',
    message: expect.stringMatching(
      /^image [0-9a-f]{12} needs at least 16\.\d+MB, but images take 2\.\d+MB of their disk\.budget of 10\.49MB: remove images/,
    ),
  })
  expect(await images.footprint()).toEqual(before)
  await images.service.remove(`${registry.host}/small`, { force: false, noPrune: false })
  expect(await images.footprint()).toMatchObject({ blobs: 0, snapshots: 0 })
})

test('space that must stay free is not given to images; nothing of the refused one is left', async () => {
  await using images = await openTestImages({ disk: { minFree: { percent: 100 } } })
  await expect(images.pull(`${registry.host}/small`)).rejects.toMatchObject({
    kind: 'no-space',
    message: expect.stringMatching(
      /needs at least 2\.\d+MB, but .* are free \(disk\.minFree keeps .*\): remove images/,
    ),
  })
  expect(await images.footprint()).toEqual({ blobs: 0, ingests: 0, snapshots: 0, directories: 0 })
})

test('what pulls were promised adds up while they run, and is given back', async () => {
  await using images = await openTestImages({ disk: { budget: { bytes: 44 << 20 } } })
  const names = await Promise.all(
    [0, 1, 2].map(async (n) => {
      await registry.push(`app${n}:latest`, imageOf(8 << 20))
      return `${registry.host}/app${n}`
    }),
  )
  const ends = await Promise.allSettled(names.map((name) => images.pull(name)))
  expect(ends.filter(({ status }) => status === 'fulfilled').length).toBe(2)
  for (const [n, { status }] of ends.entries()) {
    if (status === 'fulfilled') await images.service.remove(names[n] ?? '', { force: false, noPrune: false })
  }
  await images.pull(names[ends.findIndex(({ status }) => status === 'rejected')] ?? '')
})

test('a commit above the budget is refused before it is written, and one below it is made', async () => {
  await using images = await openTestImages({ disk: { budget: { bytes: 10 << 20 } } })
  await images.pull(`${registry.host}/small`)
  const { id, root, chainId } = images.service.get(`${registry.host}/small`)
  const snapshot = 'f00d'.repeat(16)
  const { upper, path } = await images.snapshots.prepare(snapshot, chainId)
  const file = join(upper ?? path, 'written')
  await writeFile(file, randomBytes(9 << 20))
  const before = await images.footprint()
  const request = {
    parent: { id, root: root.digest },
    snapshot,
    container: { id: snapshot, identity: {} },
    config: {},
    asked: undefined,
    changes: [],
    createdBy: '',
    author: '',
    comment: '',
    reference: undefined,
    check: () => undefined,
    events: () => [],
  }
  const commit = () => images.service.commit(request, new AbortController().signal)
  await expect(commit()).rejects.toMatchObject({
    kind: 'no-space',
    message: expect.stringMatching(
      /^an image of container f00df00df00d needs at least 9\.\d+MB, but images take 2\.\d+MB/,
    ),
  })
  expect(await images.footprint()).toEqual(before)
  await truncate(file, 1 << 20)
  expect(images.service.get(await commit()).sizeBytes).toBe(2 << 20)
})
