/** Volume plugins: a server of ours, asked by our daemon and by dockerd. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, type CommandResult } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'
import { seeingPlugins, startVolumePlugin, type VolumePlugin } from '../../support/volume-plugin.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type BesideDockerd, startBesideDockerd } from '../container/beside-dockerd.ts'

const stack = new AsyncDisposableStack()
let scene: BesideDockerd
let plugin: VolumePlugin

type Docker = (...args: readonly string[]) => Promise<CommandResult>

beforeAll(async () => {
  const place = stack.use(await tempDirectory('berth-plugin-')).path
  const [root, directory] = [join(place, 'data'), join(place, 'announced')]
  for (const path of [root, directory]) await mkdir(path)
  scene = stack.use(await startBesideDockerd({ around: seeingPlugins(directory) }))
  plugin = stack.use(await startVolumePlugin('shelf', { root, directory }))
})
afterAll(() => stack.disposeAsync())

const onOurs: Docker = (...args) => scene.ours.docker(...args)
const masked = (text: string) => text.replaceAll(/[0-9a-f]{64}/g, 'ID').replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')

/** Each step on both engines, one after the other: what they say, and what they ask of the plugin that changes something. */
async function same(...args: readonly string[]): Promise<CommandResult> {
  const sides = []
  for (const docker of [scene.onPeer, onOurs]) {
    plugin.takeCalls()
    const { code, stdout, stderr } = await docker(...args)
    const changing = plugin.takeCalls().filter(({ method }) => /Create|Remove|Mount|Unmount/.test(method))
    sides.push({
      args,
      code,
      stdout: masked(stdout),
      stderr: masked(stderr),
      calls: JSON.parse(masked(JSON.stringify(changing))) as unknown,
    })
  }
  expect(sides[1]).toEqual(sides[0])
  return { code: sides[1]?.code ?? -1, stdout: sides[1]?.stdout ?? '', stderr: sides[1]?.stderr ?? '' }
}

test('a plugin is asked what dockerd asks it, and its volumes are used as others are', async () => {
  const { name } = plugin
  // Both have the same plugin, so that each uses volumes of its own.
  for (const [docker, prefix] of [
    [scene.onPeer, 'theirs'],
    [onOurs, 'ours'],
  ] as const) {
    const ask = async (...args: readonly string[]) => {
      const result = await docker(...args)
      return {
        ...result,
        stdout: masked(result.stdout).replaceAll(prefix, 'X'),
        stderr: masked(result.stderr).replaceAll(prefix, 'X'),
      }
    }
    expect(await ask('volume', 'create', '-d', name, '-o', 'a=b', '--label', 'k=v', `${prefix}1`)).toMatchObject({
      code: 0,
      stdout: 'X1\n',
    })
    expect(plugin.takeCalls().filter(({ method }) => method === 'VolumeDriver.Create')).toEqual([
      { method: 'VolumeDriver.Create', body: { Name: `${prefix}1`, Opts: { a: 'b' } } },
    ])
    const { stdout } = await ask('volume', 'inspect', `${prefix}1`)
    expect(JSON.parse(stdout)).toMatchObject([
      { Driver: name, Labels: { k: 'v' }, Name: 'X1', Options: { a: 'b' }, Scope: 'global', Status: { kind: 'test' } },
    ])
    expect((await ask('volume', 'ls', '-q', '--filter', `name=${prefix}`)).stdout).toBe('X1\n')
    plugin.takeCalls()
    const run = [
      'run',
      '--name',
      'user',
      '--network',
      'none',
      '-v',
      `${prefix}1:/v`,
      busybox,
      'sh',
      '-c',
      'echo kept >/v/f',
    ]
    expect(await ask(...run)).toMatchObject({ code: 0, stderr: '' })
    const calls: ReturnType<VolumePlugin['takeCalls']> = []
    await waitFor('the last unmount', () => {
      calls.push(...plugin.takeCalls().filter(({ method }) => /\.(Mount|Unmount)$/.test(method)))
      return calls.at(-1)?.method === 'VolumeDriver.Unmount'
    })
    expect(calls.map(({ method }) => method)).toEqual(['VolumeDriver.Mount', 'VolumeDriver.Unmount'])
    expect(calls[0]?.body).toEqual({ Name: `${prefix}1`, ID: calls[1]?.body.ID })
    expect((await ask('volume', 'rm', `${prefix}1`)).stderr).toContain('volume is in use - [ID]')
    expect((await ask('rm', 'user')).code).toBe(0)
    const again = [
      'run',
      '--rm',
      '--network',
      'none',
      '--volume-driver',
      name,
      '-v',
      `${prefix}1:/v`,
      busybox,
      'cat',
      '/v/f',
    ]
    expect((await ask(...again)).stdout).toBe('kept\n')
    plugin.takeCalls()
    expect((await ask('volume', 'rm', `${prefix}1`)).code).toBe(0)
    expect(plugin.takeCalls().filter(({ method }) => method === 'VolumeDriver.Remove')).toHaveLength(1)
  }
})

test('a volume that somebody made at the plugin is found and not made again', async () => {
  await scene.onPeer('volume', 'create', '-d', plugin.name, 'elsewhere')
  plugin.takeCalls()
  const seen = await onOurs(
    'run',
    '--rm',
    '--network',
    'none',
    '-v',
    'elsewhere:/v',
    busybox,
    'sh',
    '-c',
    'grep -c " /v " /proc/mounts',
  )
  expect([seen.stdout, seen.stderr]).toEqual(['1\n', ''])
  expect(plugin.takeCalls().map(({ method }) => method)).not.toContain('VolumeDriver.Create')
  expect((await onOurs('volume', 'ls', '--filter', `driver=${plugin.name}`, '--format', '{{.Name}}')).stdout).toBe(
    'elsewhere\n',
  )
  expect((await onOurs('volume', 'rm', 'elsewhere')).code).toBe(0)
})

test('what a plugin refuses is told in its words, as dockerd tells it', async () => {
  plugin.answer('VolumeDriver.Create', 200, '{"Err":"no room for that"}')
  await same('volume', 'create', '-d', plugin.name, 'refused')
  plugin.answer('VolumeDriver.Create', 500, '{"Err":"it broke"}')
  await same('volume', 'create', '-d', plugin.name, 'refused')
  plugin.answer('VolumeDriver.Create', 404, 'plain words')
  await same('volume', 'create', '-d', plugin.name, 'refused')
  expect((await onOurs('volume', 'ls', '-q', '--filter', 'name=refused')).stdout).toBe('')
  await same('volume', 'create', '-d', 'berth-no-such-plugin', 'refused')
})

test('answers that are no answers fail and leave nothing', async () => {
  for (const body of ['not json', '[]', `{"Err":"","x":"${'y'.repeat(17 << 20)}"}`]) {
    plugin.answer('VolumeDriver.Create', 200, body)
    expect((await onOurs('volume', 'create', '-d', plugin.name, 'odd')).code).toBe(1)
    await onOurs('volume', 'rm', '-f', 'odd')
  }
  plugin.answer('VolumeDriver.Mount', 200, '{"Mountpoint":"relative"}')
  plugin.answer('VolumeDriver.Create', 200, '{}')
  plugin.answer('VolumeDriver.Get', 200, '{"Volume":{"Name":"odd"}}')
  const { code, stderr } = await onOurs(
    'run',
    '--rm',
    '--network',
    'none',
    '-v',
    'odd:/v',
    '--volume-driver',
    plugin.name,
    busybox,
    'true',
  )
  expect([code, stderr]).toEqual([125, expect.stringContaining('does not say where') as string])
})
