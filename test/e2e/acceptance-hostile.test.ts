import { readdirSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Digest } from '#base/digest.ts'
import { buildImage, busyboxLayer, type TestImage } from '../support/base-image.ts'
import { type TarEntry, tar } from '../support/tar.ts'
import { openScene, type Scene } from './packaged.ts'

const wrongDiffId = `sha256:${'1'.repeat(64)}` as Digest
const withLayer = (entries: readonly TarEntry[]) => buildImage({ layers: [busyboxLayer(), tar(entries)] })
const padded = (author: string) => buildImage({ layers: [tar([{ name: author, content: 'x'.repeat(5000) }])], author })

const images = {
  'parent:latest': withLayer([{ name: '../../etc/passwd', content: 'root::0:0::/:/bin/sh' }]),
  'hardlink:latest': withLayer([{ name: 'x', type: '1', link: '../../../../etc/shadow' }]),
  'linked:latest': withLayer([
    { name: 'way', type: '2', link: '/etc' },
    { name: 'way/berth-was-here', content: 'inside' },
  ]),
  'lying:latest': buildImage({ layers: [busyboxLayer()], diffIds: [wrongDiffId] }),
  'changed:latest': padded('changed'),
  'short:latest': padded('short'),
} satisfies Readonly<Record<string, TestImage>>

let scene: Scene
beforeAll(async () => {
  scene = await openScene(images)
  const bytes = await readFile(blobOf(images['changed:latest']))
  await writeFile(blobOf(images['changed:latest']), bytes.fill(7, bytes.length - 9))
  await truncate(blobOf(images['short:latest']), 20)
})
afterAll(() => scene[Symbol.asyncDispose]())

/** Where the registry keeps the lowest layer. */
function blobOf({ layers: [layer] }: TestImage): string {
  const hex = layer?.digest.slice('sha256:'.length) ?? ''
  const blobs = join(scene.daemon.directory, 'registry/docker/registry/v2/blobs/sha256')
  return join(blobs, hex.slice(0, 2), hex, 'data')
}

/** What pulls keep and what they only use meanwhile. */
function stored(): Record<string, string[]> {
  const names = ['content/blobs/sha256', 'content/ingest', 'tmp', 'snapshots']
  return Object.fromEntries(names.map((name) => [name, readdirSync(join(scene.daemon.dataRoot, name)).sort()]))
}

test.each([
  ['parent', "'../../etc/passwd' points outside of the layer"],
  ['hardlink', "'x': '../../../../etc/shadow' points outside of the layer"],
  ['linked', "'way' is used as a directory but is none"],
  ['lying', `layer ${wrongDiffId} contains other bytes`],
  ['changed', 'digest'],
  ['short', 'has 20 bytes at the registry where its manifest says'],
])('the image "%s" is refused with a reason, and nothing of it stays', async (name, reason) => {
  const before = stored()
  const { code, stderr } = await scene.docker('pull', `127.0.0.1:5000/${name}`)
  expect(code).toBe(1)
  expect(stderr).toContain(reason)
  expect(stderr.trimEnd()).not.toContain('\n')
  expect((await scene.docker('images', '-aq', `127.0.0.1:5000/${name}`)).stdout).toBe('')
  expect(stored()).toEqual(before)
})
