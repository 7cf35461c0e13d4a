/** A part of a bind's source is mounted, whatever the source has become by then, and never anything beside it. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BusyboxRoot } from './container.ts'

let root: BusyboxRoot
let source: string

beforeAll(async () => {
  root = await BusyboxRoot.make()
  source = join(root.path, 'volume')
  await mkdir(join(source, 'a/b'), { recursive: true })
  await writeFile(join(source, 'a/b/file'), 'inside\n')
  for (const [name, target] of Object.entries({
    within: 'a/b',
    absolute: '/etc',
    up: '../../etc',
    back: 'a/../../volume/a/b',
    magic: '/proc/self/root',
  })) {
    await symlink(target, join(source, name))
  }
})
afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

const mount = async (berthSubpath: string, options = ['rbind', 'rro']) =>
  await root.run({
    run: 'cat /m/file; touch /m/new || echo read-only',
    mounts: [{ destination: '/m', type: 'bind', source, options, berthSubpath }],
  })

test.each(['a/b', '/a/b', 'within', 'a/./b/../b'])('%s is found beneath it', async (path) => {
  const { output, failures } = await mount(path)
  expect({ output, failures }).toEqual({
    output: expect.stringMatching(/^inside\n(.*\n)?read-only\n$/) as string,
    failures: [],
  })
})

test.each(['absolute', 'up', 'back', 'magic', '..', 'a/../..', 'a/../../volume'])(
  '%s leads out and is refused',
  async (path) => {
    const { output, failures } = await mount(path)
    expect(output).toBe('')
    expect(failures.map(({ text }) => text)).toEqual([
      expect.stringContaining(`open '${path}' beneath '${source}' to mount it on '/m'`),
    ])
  },
)

test('a file is one too', async () => {
  const mounts = [{ destination: '/f', type: 'bind', source, options: ['bind'], berthSubpath: 'a/b/file' }]
  expect(await root.run({ run: 'cat /f', mounts })).toMatchObject({ output: 'inside\n', failures: [] })
})

test('what is not there is said to be missing', async () => {
  const { failures } = await mount('a/none')
  expect(failures.map(({ text }) => text)).toEqual([expect.stringContaining("open 'a/none' beneath")])
})

test('only a bind has one', async () => {
  const mounts = [{ destination: '/m', type: 'tmpfs', source: 'tmpfs', berthSubpath: 'a' }]
  const { failures } = await root.run({ run: 'true', mounts })
  expect(failures.map(({ text }) => text)).toEqual([expect.stringContaining('only binds have a subpath')])
})
