/** A container in a user namespace and its hooks, kept by a real shim. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitFor } from '#test/support/wait-for.ts'
import { aContainer, makeRoot, readLog, type TestRoot } from './shim/container.ts'
import { openKeeper } from './shim/keeper.ts'
import { cgroupsOf, createExec, nextExit } from './shim/story.ts'

const first = 300000
const maps = [{ containerID: 0, hostID: first, size: 65536 }]
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(() => root[Symbol.asyncDispose]())

const types = ['mount', 'pid', 'uts', 'ipc', 'network', 'cgroup', 'user', 'time']

function mapped(args: readonly string[], hooks: object = {}) {
  const files = aContainer(root, { args })
  const linux = {
    cgroupsPath: `/berth/${files.id}`,
    namespaces: types.map((type) => ({ type })),
    uidMappings: maps,
    gidMappings: maps,
    timeOffsets: { boottime: { secs: 100 } },
  }
  return { ...files, config: { ...files.config, hooks, linux } }
}

async function childrenOf(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean)
}

test.each([0, 1])('with %i warm shims, init, execs and output belong to the users inside', async (warm) => {
  await using keeper = await openKeeper({ warm })
  const shim = await keeper.launcher.launch()
  const files = mapped(['sh', '-c', 'id -u; echo again > /dev/stdout; sleep 1000'])
  const { pid } = await keeper.create(shim, '', files.config, files.keeper)
  expect(await childrenOf(shim.pid)).toEqual([`${pid}`])
  const exit = nextExit(shim)
  await shim.start('')
  expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\t${first}\t`, 'm'))

  await waitFor('all output of init', async () => (await readLog(files.logPath)).length === 2)

  const ended = nextExit(shim, 'x')
  await createExec(keeper, shim, 'x', ['sh', '-c', 'test $(id -u) = 0 && echo > /dev/stdout && kill -9 1; exit 7'])
  await shim.start('x')
  expect(await ended).toMatchObject({ code: 7 })

  await shim.kill('', 9)
  expect(await exit).toMatchObject({ code: 137 })
  expect(await shim.state()).toMatchObject({ state: 'stopped' })
  expect((await readLog(files.logPath)).map(({ log }) => log)).toEqual(['0\n', 'again\n'])
  expect(await childrenOf(shim.pid)).toEqual([])
  expect(await cgroupsOf(files.id)).toEqual([])
  await shim.shutdown()
})

test('a creation that fails in the user namespace leaves the shim empty', async () => {
  await using keeper = await openKeeper()
  const shim = await keeper.launcher.launch()
  const files = mapped(['no-such-program'])
  const descriptors: string[][] = []
  for (let i = 0; i < 2; i++) {
    const creation = keeper.create(shim, '', files.config, files.keeper)
    await expect(creation).rejects.toThrow('executable file not found in $PATH')
    expect(await childrenOf(shim.pid)).toEqual([])
    descriptors.push(await readdir(`/proc/${shim.pid}/fd`))
  }
  expect(descriptors[1]).toEqual(descriptors[0])
  expect(await cgroupsOf(files.id)).toEqual([])
  await shim.shutdown()
})

test('the shim runs the hooks of a container’s life', async () => {
  await using keeper = await openKeeper()
  const shim = await keeper.launcher.launch()
  const log = join(root.directory, 'hooks')
  const hook = (word: string) => [{ path: '/bin/sh', args: ['sh', '-c', `echo ${word} >> ${log}`] }]
  const kinds = ['prestart', 'createRuntime', 'poststart', 'poststop']
  const files = mapped(['true'], Object.fromEntries(kinds.map((kind) => [kind, hook(kind)])))
  await keeper.create(shim, '', files.config, files.keeper)
  const exit = nextExit(shim)
  await shim.start('')
  expect(await exit).toMatchObject({ code: 0 })
  await shim.shutdown()
  expect(await readFile(log, 'utf8')).toBe(kinds.map((kind) => `${kind}\n`).join(''))
})
