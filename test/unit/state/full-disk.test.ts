import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { tempDirectory } from '#test/support/temp.ts'

const execute = promisify(execFile)
const scene = join(import.meta.dirname, 'full-disk-scene.ts')

test('on a full disk rows are removed with the reserve, and what grows is told that there is no space', async () => {
  await using directory = await tempDirectory()
  // A mount namespace of its own, so that the small disk is nobody else's.
  const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" "$1"'
  const { stdout } = await execute('unshare', [
    ...['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', directory.path, process.execPath, scene],
  ])
  expect(JSON.parse(stdout)).toEqual({
    removing: 'done',
    left: 0,
    asking: 'no-space',
    growing: 'no-space',
    grown: 0,
  })
})
