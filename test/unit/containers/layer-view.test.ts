import { execFileSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LayerView } from '#containers/spec/layer-view.ts'
import { takeLease } from '#test/support/lease.ts'

let root: string
let view: LayerView
const opaque = new Set<string>()
const at = (...parts: string[]) => join(root, ...parts)
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-layers-'))
  for (const layer of ['upper', 'middle', 'lower']) await mkdir(at(layer, 'etc'), { recursive: true })
  view = new LayerView(
    {
      kind: 'overlay',
      path: root,
      upper: at('upper'),
      work: undefined,
      lower: [at('middle'), at('lower')],
    },
    { isOpaque: (directory) => opaque.has(readlinkSync(`/proc/self/fd/${directory}`)) },
  )
})
afterEach(() => rm(root, { recursive: true }))

const read = (path: string) => view.readText(path, 100)

test('the topmost layer that has the file wins', async () => {
  await writeFile(at('lower/etc/passwd'), 'lower')
  expect(read('/etc/passwd')).toBe('lower')
  await writeFile(at('middle/etc/passwd'), 'middle')
  expect(read('/etc/passwd')).toBe('middle')
  await writeFile(at('upper/etc/passwd'), 'upper')
  expect(read('etc//./passwd')).toBe('upper')
})

test('a whiteout hides what is below, of files and of directories', async () => {
  await writeFile(at('lower/etc/passwd'), 'lower')
  execFileSync('mknod', [at('upper/etc/passwd'), 'c', '0', '0'])
  expect(read('/etc/passwd')).toBeUndefined()
  await mkdir(at('lower/gone'))
  await writeFile(at('lower/gone/file'), 'lower')
  execFileSync('mknod', [at('middle/gone'), 'c', '0', '0'])
  expect(read('/gone/file')).toBeUndefined()
})

test('links lead inside the root and through the layers, never out', async () => {
  await writeFile(at('secret'), 'of the host')
  await mkdir(at('lower/real'))
  await writeFile(at('lower/real/passwd'), 'inside')
  await symlink('/real/passwd', at('upper/etc/passwd'))
  expect(read('/etc/passwd')).toBe('inside')
  await symlink('../../../../../../secret', at('upper/etc/group'))
  expect(read('/etc/group')).toBeUndefined()
  await symlink(at('secret'), at('upper/etc/absolute'))
  expect(read('/etc/absolute')).toBeUndefined()
  await symlink('real', at('middle/alias'))
  expect(read('/alias/passwd')).toBe('inside')
})

test('circles, devices, pipes, directories and large files are no account files', async () => {
  await symlink('two', at('upper/etc/one'))
  await symlink('one', at('upper/etc/two'))
  expect(read('/etc/one')).toBeUndefined()
  execFileSync('mkfifo', [at('upper/etc/pipe')])
  expect(read('/etc/pipe')).toBeUndefined()
  expect(read('/etc')).toBeUndefined()
  await writeFile(at('upper/etc/large'), 'x'.repeat(101))
  expect(() => read('/etc/large')).toThrow(/larger than 100 bytes/)
})

test('a file in place of a directory hides the directory', async () => {
  await mkdir(at('lower/a'))
  await writeFile(at('lower/a/b'), 'lower')
  await writeFile(at('upper/a'), 'file')
  expect(read('/a/b')).toBeUndefined()
  expect(read('/a')).toBe('file')
})

test('an opaque directory hides what its namesakes below have', async () => {
  await writeFile(at('lower/etc/passwd'), 'lower')
  await writeFile(at('middle/etc/group'), 'middle')
  opaque.add(at('middle/etc'))
  expect(read('/etc/passwd')).toBeUndefined()
  expect(read('/etc/group')).toBe('middle')
  await mkdir(at('lower/etc/deep'))
  await writeFile(at('lower/etc/deep/file'), 'lower')
  expect(read('/etc/deep/file')).toBeUndefined()
})

test('a lease that a container holds on the file is told, and nobody waits for it', async () => {
  const path = at('upper/etc/passwd')
  await writeFile(path, 'upper')
  await using _lease = await takeLease(path)
  expect(() => read('/etc/passwd')).toThrow(/^passwd of the container is under a lease of a process/)
})
