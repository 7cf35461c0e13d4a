import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { packLayer } from '#images/layers/diff.ts'
import { openLayerBlob } from '#images/layers/layer-blob.ts'
import type { AddImagePorts } from '#images/transfer/add-image.ts'
import { createImage } from '#images/transfer/create-image.ts'
import { commitBytes } from '#images/transfer/fetch-content.ts'
import { importLayout } from '#images/transfer/import-layout.ts'
import type { ImageConfigDocument } from '#oci/image-config.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { parseReference, withDefaultTag } from '#oci/reference.ts'
import { buildImage } from '#test/support/base-image.ts'
import { openImagePorts } from '#test/support/image-ports.ts'
import { writeLayout } from '#test/support/layout.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'

const layer = (text: string) => tar([{ name: 'motd', content: text }])
const { signal } = new AbortController()
const config: ImageConfigDocument = {
  os: 'linux',
  architecture: 'amd64',
  created: '2026-01-02T03:04:05.678901234Z',
  config: { Cmd: ['a', '<&>'] },
  history: [{ created_by: 'made' }],
}

/** Puts an uncompressed layer into the store, held as its maker holds it. */
async function putLayer(ports: AddImagePorts, bytes: Buffer) {
  const diffId = digestOf(bytes)
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: diffId, size: bytes.length }
  const lease = ports.leases.open()
  lease.hold(diffId)
  await commitBytes(ports.content, descriptor, bytes)
  return { descriptor, diffId, lease }
}

test('an image made here is listed by its name, with config and manifest as blobs and its layer unpacked', async () => {
  await using images = await openImagePorts()
  const { ports, events } = images
  const { descriptor, diffId, lease } = await putLayer(ports, layer('hello'))
  const { image } = await createImage(ports, {
    config,
    layers: [{ descriptor, diffId }],
    reference: withDefaultTag(parseReference('made')),
    events: ({ id }) => [{ type: 'image', action: 'import', actor: { id, attributes: {} } }],
    signal,
  })
  lease[Symbol.dispose]()
  expect(image.config).toBe(
    '{"architecture":"amd64","config":{"Cmd":["a","\\u003c\\u0026\\u003e"]},"created":"2026-01-02T03:04:05.678901234Z",' +
      `"history":[{"created_by":"made"}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${diffId}"]}}`,
  )
  expect(image.id).toBe(digestOf(image.config))
  expect(ports.store.findReference('docker.io/library/made:latest')?.key.id).toBe(image.id)
  expect((await ports.content.list()).toSorted()).toEqual([image.id, image.root.digest, diffId].toSorted())
  expect(ports.snapshots.find(diffId)?.kind).toBe('committed')
  expect(events).toMatchObject([{ action: 'import', actor: { id: image.id } }])
})

test('a layer whose bytes are not those of its diffId is refused, and nothing of the image stays', async () => {
  await using images = await openImagePorts()
  const { ports, events } = images
  const { descriptor, diffId, lease } = await putLayer(ports, layer('hello'))
  const wrong = { descriptor, diffId: digestOf('other') }
  await expect(createImage(ports, { config, layers: [wrong], signal })).rejects.toMatchObject({ kind: 'data-loss' })
  expect(await ports.content.list()).toEqual([diffId])
  expect([ports.store.list(), ports.snapshots.list(), events]).toEqual([[], [], []])
  lease[Symbol.dispose]()
})

test('the blob of a layer is the own one, else that of another image with the same layer, else there is none', async () => {
  await using images = await openImagePorts()
  const { ports } = images
  await using directory = await tempDirectory()
  const packed = buildImage({ layers: [layer('hello')] })
  await writeLayout(directory.path, packed)
  const first = await importLayout(ports, directory.path, parseReference('packed'), signal)
  const { descriptor, diffId, lease } = await putLayer(ports, layer('hello'))
  const { image: plain } = await createImage(ports, { config, layers: [{ descriptor, diffId }], signal })
  lease[Symbol.dispose]()
  if (!first) throw new Error('nothing was imported')

  const found = async () => {
    const blob = await openLayerBlob(ports, plain, 0, signal)
    await using file = blob.file
    expect(digestOf(await file.readFile())).toBe(blob.descriptor.digest)
    expect(blob.diffId).toBe(diffId)
    return blob.descriptor.digest
  }
  expect(await found()).toBe(diffId)
  await ports.content.remove([diffId])
  expect(await found()).toBe(packed.layers[0]?.digest)
  await ports.content.remove(packed.layers.map(({ digest }) => digest))
  await expect(found()).rejects.toMatchObject({
    kind: 'not-found',
    message: `layer ${diffId} of image ${plain.id} is only here unpacked; pull the image again`,
  })
})

test('the blob of a layer that was packed here is packed again from its files when it is lost', async () => {
  await using images = await openImagePorts()
  const { ports } = images
  await using directory = await tempDirectory()
  await writeLayout(directory.path, buildImage({ layers: [layer('below'), layer('above')] }))
  const base = await importLayout(ports, directory.path, parseReference('base'), signal)
  const chainId = base?.layers[0]?.chainId ?? ''
  const packed = join(directory.path, 'packed')
  await using output = await open(packed, 'w')
  await packLayer(ports, { snapshot: chainId, fd: output.fd, withoutMountPoints: false }, signal)
  const { descriptor, diffId, lease } = await putLayer(ports, await readFile(packed))
  const { image } = await createImage(ports, { config, layers: [{ descriptor, diffId }], signal })
  lease[Symbol.dispose]()

  await ports.content.remove([diffId])
  const blob = await openLayerBlob(ports, image, 0, signal)
  await using file = blob.file
  expect(blob.descriptor).toEqual(descriptor)
  expect(digestOf(await file.readFile())).toBe(diffId)
  expect(await ports.content.find(diffId)).toEqual({ digest: diffId, size: descriptor.size })
})
