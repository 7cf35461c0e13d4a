/** As many layers as an image may have: one is made, run, looked at, saved and removed like any other. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage, busyboxLayer } from '../../support/base-image.ts'
import { type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tar } from '../../support/tar.ts'
import { tempDirectory } from '../../support/temp.ts'

const count = 500
const stack = new AsyncDisposableStack()
let daemon: TestDaemon
let directory: string

/** Layer N has the file /N and says in /last who it is. */
const layer = (n: number) =>
  tar([
    { name: `${n}`, content: `layer ${n}` },
    { name: 'last', content: `${n}` },
  ])
const numbers = Array.from({ length: count - 1 }, (_, index) => index + 1)
const image = buildImage({ layers: [busyboxLayer(), ...numbers.map(layer)] })

beforeAll(async () => {
  directory = stack.use(await tempDirectory('berth-layers-')).path
  daemon = stack.use(await startDaemon({ withImage: false }))
  const files = image.layers.map(({ bytes }, index) => ({ name: `${index}.tar`, content: bytes }))
  const [config] = image.blobs
  const manifest = [{ Config: 'config', RepoTags: ['deep:v1'], Layers: files.map(({ name }) => name) }]
  const documents = [
    { name: 'config', content: config?.bytes ?? '' },
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ]
  await writeFile(join(directory, 'deep.tar'), tar([...files, ...documents]))
}, 120_000)
afterAll(() => stack.disposeAsync())

const docker = (...args: string[]): Promise<CommandResult> => daemon.docker(...args)

test('an image of 500 layers runs, and shows the files of all of them', { timeout: 600_000 }, async () => {
  expect(await docker('load', '-q', '-i', join(directory, 'deep.tar'))).toMatchObject({
    code: 0,
    stdout: 'Loaded image: deep:v1\n',
  })
  const script = 'cat /1 /250 /499 /last; echo; ls / | grep -c "^[0-9]*$"; rm /250; echo new >/1'
  const ran = await docker('run', '--name', 'deep', '--network', 'none', 'deep:v1', 'sh', '-c', script)
  expect(ran).toEqual({ code: 0, stdout: 'layer 1layer 250layer 499499\n499\n', stderr: '' })
  expect((await docker('diff', 'deep')).stdout.split('\n').toSorted()).toEqual(['', 'C /1', 'D /250'])
  // One more would be an image that nobody could load.
  expect(await docker('commit', 'deep', 'deeper')).toMatchObject({
    code: 1,
    stderr: 'Error response from daemon: the image has 501 layers; at most 500 are supported\n',
  })
  expect(await docker('export', '-o', join(directory, 'flat.tar'), 'deep')).toMatchObject({ code: 0 })
  expect(await docker('rm', 'deep')).toMatchObject({ code: 0 })
  expect(await docker('rmi', 'deep:v1')).toMatchObject({ code: 0 })
  expect(await docker('import', join(directory, 'flat.tar'), 'flat')).toMatchObject({ code: 0 })
  expect(await docker('run', '--rm', '--network', 'none', 'flat', 'cat', '/1', '/499')).toEqual({
    code: 0,
    stdout: 'new\nlayer 499',
    stderr: '',
  })
})
