import { randomBytes } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mediaTypes } from '#oci/media-types.ts'
import { buildImage } from '#test/support/base-image.ts'
import { startFaultProxy } from '#test/support/fault-proxy.ts'
import { openTestImages, type TestImages } from '#test/support/images.ts'
import { writeLayout } from '#test/support/layout.ts'
import { startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { waitFor } from '#test/support/wait-for.ts'

const small = tar([{ name: 'small', content: 'small' }])
/** 50 MB, half compressible. */
const half = Buffer.concat([randomBytes(25_000_000), Buffer.alloc(25_000_000, 'compressible ')])
const big = tar([{ name: 'big', content: half }])

let registry: TestRegistry

beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(() => registry[Symbol.asyncDispose]())

/** Lists an image of plain layers, as what is made here has them. */
async function make(images: TestImages, name: string, layers: readonly Uint8Array[]): Promise<void> {
  await using layout = await tempDirectory()
  await writeLayout(layout.path, buildImage({ layers, compression: 'none' }))
  await images.service.importLayout(layout.path, images.parse(name))
}

test.each([
  ['gzip', mediaTypes.ociLayerGzip],
  ['zstd', mediaTypes.ociLayerZstd],
] as const)(
  'layers made here are pushed as %s, the event loop stays free, and nothing is made twice',
  async (pushCompression, type) => {
    await using root = await tempDirectory()
    const name = `${registry.host}/${pushCompression}:latest`
    let first: string[]
    {
      await using images = await openTestImages({ root: root.path, pushCompression })
      await make(images, name, [small, big])
      const delay = monitorEventLoopDelay({ resolution: 5 })
      delay.enable()
      first = await images.push(name)
      delay.disable()
      // gzip of 50 MB in one go takes more than a second; the rest is room for a busy machine.
      expect(delay.max / 1e6).toBeLessThan(500)
    }
    expect(first.filter((line) => line === 'Pushed')).toHaveLength(2)
    await using images = await openTestImages({ root: root.path, pushCompression })
    const before = await images.footprint()
    const second = await images.push(name)
    expect(second.filter((line) => line === 'Layer already exists')).toHaveLength(2)
    expect(second.at(-1)).toBe(first.at(-1))
    expect(await images.footprint()).toEqual(before)
    expect(images.service.get(name).digests).toHaveLength(1)

    await using fresh = await openTestImages()
    await fresh.pull(name)
    const pulled = fresh.service.get(name)
    expect(pulled.id).toBe(images.service.get(name).id)
    expect(pulled.layers.map(({ mediaType }) => mediaType)).toEqual([type, type])
    expect(pulled.layers[1]?.size).toBeLessThan(26_000_000)
    expect(await fresh.readFile(name, 'small')).toBe('small')
  },
)

test('the same layer gives the same blob wherever it is compressed', async () => {
  const digests: string[] = []
  for (const name of ['same/one', 'same/two']) {
    await using images = await openTestImages()
    await make(images, `${registry.host}/${name}`, [small, tar([{ name: 'x', content: half.subarray(0, 3 << 20) }])])
    digests.push((await images.push(`${registry.host}/${name}`)).at(-1) ?? '')
  }
  expect(digests[0]).toBe(digests[1])
})

test('plain layers that came from a registry stay as they are', async () => {
  const image = buildImage({ layers: [small], compression: 'none' })
  await registry.push('plain:latest', image)
  await using images = await openTestImages()
  await images.pull(`${registry.host}/plain`)
  await images.service.tag(`${registry.host}/plain`, images.parse(`${registry.host}/plain:again`))
  expect((await images.push(`${registry.host}/plain:again`)).at(-1)).toContain(image.root.digest)
})

test('what was compressed for a push that is refused or cancelled does not stay', async () => {
  let isManifestRefused = true
  await using proxy = await startFaultProxy(registry.host, ({ method, path }) => {
    if (isManifestRefused) return path.includes('/manifests/') ? { status: 403 } : undefined
    return method === 'PUT' ? { dropAfter: 1e9 } : undefined
  })
  await using images = await openTestImages()
  await make(images, `${proxy.host}/refused`, [small, big])
  const before = await images.footprint()
  await expect(images.push(`${proxy.host}/refused`)).rejects.toMatchObject({ kind: 'forbidden' })
  expect(await images.footprint()).toEqual(before)

  isManifestRefused = false
  await images.service.tag(`${proxy.host}/refused`, images.parse(`${proxy.host}/cancelled`))
  const leave = new AbortController()
  const pushed = images.push(`${proxy.host}/cancelled`, { signal: leave.signal })
  await waitFor('the big layer is being compressed', async () => (await images.footprint()).ingests > 0)
  leave.abort()
  await expect(pushed).rejects.toMatchObject({ kind: 'cancelled' })
  expect(await images.footprint()).toEqual(before)
})
