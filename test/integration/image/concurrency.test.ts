import { expect, test } from 'vitest'
import { isKind } from '#base/errors.ts'
import { buildImage } from '#test/support/base-image.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { startRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'

const shared = tar([{ name: 'shared', content: 'shared'.repeat(10_000) }])
const names = ['a', 'b', 'c', 'd']
const imageOf = (tag: string) => buildImage({ layers: [shared, tar([{ name: 'motd', content: tag }])] })

test('pulling, tagging and removing at the same time never takes a layer from under a listed image', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  for (const tag of names) await registry.push(`app:${tag}`, imageOf(tag))

  const worker = async (seed: number) => {
    for (let round = 0; round < 12; round += 1) {
      const tag = names[(seed * 7 + round * 5 + (round >> 2)) % names.length] as string
      const name = `${registry.host}/app:${tag}`
      if ((seed + round) % 3 === 0) await ifThere(images.service.remove(name, { force: false, noPrune: false }))
      else if ((seed + round) % 5 === 0) await ifThere(images.service.tag(name, images.parse(`other:${seed}`)))
      else await images.pull(name)
      await checkAll(images)
    }
  }
  await Promise.all([0, 1, 2, 3, 4].map(worker))

  for (const { id } of images.service.list(images.noFilters)) {
    await images.service.remove(id, { force: true, noPrune: false })
  }
  expect(await images.footprint()).toEqual({ blobs: 0, ingests: 0, snapshots: 0, directories: 0 })
})

test('pulls that are cancelled at any moment leave nothing', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  for (const tag of names) await registry.push(`app:${tag}`, imageOf(tag))
  let cancelled = 0
  for (let lines = 0; lines < 36; lines += 1) {
    const leave = new AbortController()
    if (lines === 0) leave.abort()
    let seen = 0
    const onProgress = () => {
      seen += 1
      if (seen === lines) leave.abort()
    }
    const pulls = names.map((tag) => images.pull(`${registry.host}/app:${tag}`, { signal: leave.signal, onProgress }))
    const ends = await Promise.allSettled(pulls)
    for (const end of ends) {
      if (end.status === 'fulfilled') continue
      cancelled += 1
      expect(end.reason).toMatchObject({ kind: 'cancelled' })
    }
    await checkAll(images)
    for (const { id } of images.service.list(images.noFilters)) {
      await images.service.remove(id, { force: true, noPrune: false })
    }
    expect(await images.footprint()).toEqual({ blobs: 0, ingests: 0, snapshots: 0, directories: 0 })
  }
  expect(cancelled).toBeGreaterThan(36)
})

/** Every image that is listed has its layers. */
async function checkAll({ service, snapshots, noFilters }: TestImages): Promise<void> {
  for (const { id, chainId } of service.list(noFilters)) {
    expect(snapshots.find(chainId ?? ''), `the top layer of ${id}`).toMatchObject({ kind: 'committed' })
  }
}

/** Somebody else may have removed it just before. */
async function ifThere(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error
  }
}
