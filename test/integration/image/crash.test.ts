/** What a crash of the machine may leave: rows that are there, files that are not. */
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'

const container = 'c0de'.repeat(16)
const layers = ['lower', 'upper'].map((name) => tar([{ name, content: name }]))
let registry: TestRegistry

beforeAll(async () => {
  registry = await startRegistry()
  await registry.push('app:gzip', buildImage({ layers }))
  await registry.push('app:zstd', buildImage({ layers, compression: 'zstd', author: 'another' }))
})
afterAll(() => registry[Symbol.asyncDispose]())

/** As if the machine had crashed before the layers were durable: of their files, nothing but names is left. */
async function crash({ snapshots, database, service }: TestImages, image: string): Promise<void> {
  for (const directory of snapshots.directories(service.get(image).chainId ?? ''))
    for (const name of ['lower', 'upper']) await truncate(join(directory, name)).catch(() => undefined)
  database.prepare("UPDATE snapshots SET state = 'usable', boot_id = 'the boot before'").run()
}

async function readThrough({ snapshots }: TestImages, name: string): Promise<string> {
  for (const directory of snapshots.directories(container)) {
    const text = await readFile(join(directory, name), 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  return 'missing'
}

test('layers that a container stands on get their files anew after a crash, and the container keeps its own', async () => {
  await using directory = await tempDirectory('berth-crash-')
  const name = `${registry.host}/app:gzip`
  {
    await using images = await openTestImages({ root: directory.path })
    await images.pull(name)
    const { upper, path } = await images.snapshots.prepare(container, images.service.get(name).chainId)
    await writeFile(join(upper ?? path, 'own'), 'own')
    await crash(images, name)
  }
  await using images = await openTestImages({ root: directory.path })
  expect(await Promise.all(['lower', 'upper', 'own'].map((file) => readThrough(images, file)))).toEqual([
    'lower',
    'upper',
    'own',
  ])
  expect(images.service.get(name).tags).toHaveLength(1)
})

test('layers are unpacked again from the blob that stands in for another compression', async () => {
  await using directory = await tempDirectory('berth-crash-')
  const [first, second] = ['app:gzip', 'app:zstd'].map((one) => `${registry.host}/${one}`) as [string, string]
  {
    await using images = await openTestImages({ root: directory.path })
    await images.pull(first)
    await images.pull(second)
    await images.service.remove(first, { force: false, noPrune: false })
    await crash(images, second)
  }
  await using images = await openTestImages({ root: directory.path })
  expect(await images.readFile(second, 'upper')).toBe('upper')
})
