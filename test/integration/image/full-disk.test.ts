import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { startRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'

const execute = promisify(execFile)
const scene = join(import.meta.dirname, 'full-disk-scene.ts')

test('a pull that fills the disk says so and gives all of it back', async () => {
  await using registry = await startRegistry()
  await using directory = await tempDirectory()
  const fileOf = (content: Buffer) => buildImage({ layers: [tar([{ name: 'file', content }])] })
  await registry.push('blob:latest', fileOf(randomBytes(30 << 20)))
  await registry.push('files:latest', fileOf(Buffer.alloc(60 << 20)))
  await registry.push('small:latest', fileOf(Buffer.alloc(1 << 20)))
  const names = ['blob', 'files', 'small'].map((name) => `${registry.host}/${name}`)

  // A mount namespace of its own, so that the small disk is nobody else's.
  const script = 'mount -t tmpfs -o size=20m tmpfs "$1" && shift && exec "$@"'
  const { stdout } = await execute('unshare', [
    ...['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', directory.path],
    ...[process.execPath, scene, join(directory.path, 'data'), ...names],
  ])
  const nothing = { blobs: 0, ingests: 0, snapshots: 0, directories: 0 }
  expect(JSON.parse(stdout)).toEqual([
    { kind: 'no-space', ...nothing },
    { kind: 'no-space', ...nothing },
    { kind: 'undefined', blobs: 3, ingests: 0, snapshots: 1, directories: 1 },
  ])
})
