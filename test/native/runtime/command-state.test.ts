/** What berth-runtime remembers: detached containers, verbs at the same time, and states that somebody else left. */
import { existsSync } from 'node:fs'
import { readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Command, type Config, exitOf, groupsOf } from './command.ts'

let command: Command

beforeAll(async () => {
  command = await Command.make()
})

afterAll(async () => {
  await command[Symbol.asyncDispose]()
})

const waiting = 'while :; do sleep 0.05; done'

/** One that nobody has reaped is no more. */
async function isRunning(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return !/\) [ZX]/.test(text)
}

test('run --detach leaves a running container, which delete --force ends with its group', async () => {
  const { id } = await command.started(waiting)
  expect(await command.status(id)).toBe('running')
  expect(await groupsOf(id)).not.toEqual([])
  expect(await command.run('delete', '--force', id)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
  expect(await groupsOf(id)).toEqual([])
  expect(await command.containers()).not.toContain(id)
})

test('run --keep leaves the state of a container that has ended', async () => {
  const bundle = await command.bundle('exit 4')
  expect(await exitOf(command.start(bundle, '--keep'))).toBe(4)
  expect(await command.status(bundle.id)).toBe('stopped')
  expect(await command.run('start', bundle.id)).toMatchObject({
    code: 1,
    stderr: `berth-runtime: cannot start a container that has stopped: '${bundle.id}'\n`,
  })
  expect(await command.run('kill', bundle.id)).toMatchObject({
    code: 1,
    stderr: `berth-runtime: container not running: '${bundle.id}' has ended\n`,
  })
  expect(await command.run('kill', '--all', bundle.id)).toMatchObject({
    code: 0,
  })
  expect(await command.run('delete', bundle.id)).toMatchObject({ code: 0 })
  expect(await groupsOf(bundle.id)).toEqual([])
})

test('delete of a container whose groups somebody else removed has nothing to complain about', async () => {
  const { id } = await command.started('exit 0')
  await expect.poll(() => command.status(id)).toBe('stopped')
  for (const group of await groupsOf(id)) await rmdir(group)
  expect(await command.run('delete', '--force', id)).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('an id is given once', async () => {
  const bundle = await command.created('true')
  const answers = await Promise.all([1, 2].map(() => command.run('create', '--bundle', bundle.path, bundle.id)))
  for (const { code, stderr } of answers) {
    expect(code).toBe(1)
    expect(stderr).toBe(`berth-runtime: container with given ID already exists: '${bundle.id}'\n`)
  }
  expect(await command.status(bundle.id)).toBe('created')
})

test('of many creations of one id at once exactly one succeeds', async () => {
  const bundle = await command.bundle('true')
  const codes = await Promise.all(
    Array.from({ length: 6 }, () => command.detached('create', '--bundle', bundle.path, bundle.id)),
  )
  expect(codes.toSorted()).toEqual([0, 1, 1, 1, 1, 1])
  expect(await command.status(bundle.id)).toBe('created')
})

test('of many starts at once exactly one succeeds', async () => {
  const { id } = await command.created(waiting)
  const codes = await Promise.all(Array.from({ length: 6 }, () => command.detached('start', id)))
  expect(codes.toSorted()).toEqual([0, 1, 1, 1, 1, 1])
  expect(await command.status(id)).toBe('running')
})

test('many deletions at once leave nothing and do not disturb each other', async () => {
  const { id } = await command.started(waiting)
  const answers = await Promise.all(Array.from({ length: 6 }, () => command.run('delete', '--force', id)))
  expect(answers.map(({ code, stderr }) => [code, stderr])).toEqual(Array.from({ length: 6 }, () => [0, '']))
  expect(await groupsOf(id)).toEqual([])
})

test.each([
  ['cut off', '{"id": "x", "bun'],
  ['of another shape', '{"id": 7}'],
  ['with a path that is none', ''],
])('a state that is %s is named, and delete --force ends what it was of', async (_, text) => {
  const { id } = await command.started(waiting)
  const file = join(command.states, id, 'state.json')
  const whole = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, text || JSON.stringify({ ...whole, cgroup: 'relative' }))
  const damaged = `berth-runtime: the state of container '${id}' is damaged; delete --force removes it\n`
  for (const verb of ['state', 'delete', 'kill', 'start', 'pause'])
    expect(await command.run(verb, id)).toMatchObject({
      code: 1,
      stderr: damaged,
    })
  expect(JSON.parse((await command.run('list', '--format', 'json')).stdout)).not.toContainEqual(
    expect.objectContaining({ id }),
  )
  expect(await command.run('delete', '--force', id)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
  expect(await groupsOf(id)).toEqual([])
  expect(await isRunning(whole.init_process_pid)).toBe(false)
})

test('what a creation left that was killed before it wrote the state is removed with its process', async () => {
  const { id } = await command.created(waiting)
  const { pid } = await command.state(id)
  await rm(join(command.states, id, 'state.json'))
  expect(await command.run('state', id)).toMatchObject({
    code: 1,
    stderr: `berth-runtime: container '${id}' is being made, or its making was killed; delete --force removes it\n`,
  })
  expect(await command.run('delete', '--force', id)).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect(await groupsOf(id)).toEqual([])
  expect(await isRunning(pid)).toBe(false)
})

test('a group in which others live already is not made a container’s', async () => {
  const other = await command.started(waiting)
  const [group] = await groupsOf(other.id)
  const share = { path: `/berth-runtime.${other.id}`, limits: { pids: { limit: 7 } } }
  const { path, id } = await command.bundle(waiting, (config) => {
    Object.assign(config.linux, { cgroupsPath: share.path, resources: share.limits })
  })
  expect(await command.run('create', '--bundle', path, id)).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(
        `the cgroup /\\S+${share.path} has processes already \\(\\d+ is one\\), and a container needs one of its own`,
      ),
    ),
  })
  expect(await command.containers()).not.toContain(id)
  expect(await command.status(other.id)).toBe('running')
  expect(existsSync(group ?? '')).toBe(true)
  for (const hierarchy of await groupsOf(other.id))
    expect(await readFile(join(hierarchy, 'pids.max'), 'utf8').catch(() => 'max\n')).toBe('max\n')
})

test('a group’s path that no creation takes does not lead delete --force to other groups', async () => {
  const other = await command.started(waiting)
  const { pid } = await command.state(other.id)
  for (const [file, change] of [
    ['config.json', (document, path) => ({ ...document, linux: { ...document.linux, cgroupsPath: path } })],
    ['state.json', (document, path) => ({ ...document, cgroup: path })],
  ] as [string, (document: Config, path: string) => object][]) {
    const { id } = await command.created(waiting)
    const path = join(command.states, id, file)
    const document = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(path, JSON.stringify(change(document, `/berth-runtime.${id}/../berth-runtime.${other.id}`)))
    if (file === 'config.json') await rm(join(command.states, id, 'state.json'))
    expect(await command.run('delete', '--force', id)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await groupsOf(id)).toEqual([])
  }
  expect(await isRunning(pid)).toBe(true)
})

test('the state keeps runc’s names for what other programs read', async () => {
  const { id } = await command.created('true')
  const { pid } = await command.state(id)
  const state = JSON.parse(await readFile(join(command.states, id, 'state.json'), 'utf8'))
  expect(state).toMatchObject({
    id,
    init_process_pid: pid,
    init_process_start: expect.any(Number),
    namespace_paths: { NEWNET: `/proc/${pid}/ns/net` },
  })
  for (const path of Object.values<string>(state.cgroup_paths)) expect((await stat(path)).isDirectory()).toBe(true)
  expect((await stat(join(command.states, id))).mode & 0o777).toBe(0o700)
  expect((await stat(join(command.states, id, 'state.json'))).mode & 0o777).toBe(0o600)
})

test('a config.json that cannot be used leaves nothing and is named', async () => {
  const bundle = await command.bundle('true')
  await writeFile(join(bundle.path, 'config.json'), '{"ociVersion": ')
  expect(await command.run('create', '--bundle', bundle.path, bundle.id)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^berth-runtime: bundle '.*': config\.json: line 1, column \d+: .*\n$/),
  })
  expect(await command.run('create', '--bundle', '/nonexistent', bundle.id)).toMatchObject({
    code: 1,
    stderr: "berth-runtime: bundle '/nonexistent': No such file or directory\n",
  })
  expect(await command.containers()).not.toContain(bundle.id)
})

test('run takes another name of the config', async () => {
  const bundle = await command.bundle('exit 9')
  await writeFile(join(bundle.path, 'other.json'), await readFile(join(bundle.path, 'config.json')))
  await rm(join(bundle.path, 'config.json'))
  expect(await exitOf(command.start(bundle, '--config', 'other.json'))).toBe(9)
})
