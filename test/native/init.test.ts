/** berth-init as process 1 of a real container. */
import { readFile, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitFor } from '#test/support/wait-for.ts'
import { makeRoot, readLog, type TestRoot } from './shim/container.ts'
import { openKeeper } from './shim/keeper.ts'
import { create, nextExit, readUntil, start } from './shim/story.ts'

const { SIGKILL, SIGTERM, SIGUSR1 } = constants.signals
const program = join(import.meta.dirname, '../../build/native/berth-init')
const binds = { [program]: '/sbin/docker-init' }
const underInit = (...command: string[]) => ['/sbin/docker-init', '--', ...command]
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('it is small', async () => {
  expect((await stat(program)).size).toBeLessThanOrEqual(20_000)
})

test('it passes signals on, collects orphans, and ends as its command does', async () => {
  await using keeper = await openKeeper()
  const orphans = 'for i in 1 2 3 4 5; do ( ( true ) & ); done'
  const script = `trap "echo usr1" USR1; trap "exit 7" TERM; ${orphans}; echo ready; while :; do usleep 10000; done`
  const { shim, files, exit, pid } = await start(keeper, root, { args: underInit('sh', '-c', script), binds })
  const heard = async () => (await readLog(files.logPath)).map(({ log }) => log)
  await waitFor('the command', async () => (await heard()).includes('ready\n'))
  const childrenOf = async (parent: number) =>
    (await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim().split(' ').filter(Boolean)
  await waitFor('the orphans to be collected', async () => (await childrenOf(pid)).length === 1)
  await shim.kill('', SIGUSR1)
  await waitFor('the signal', async () => (await heard()).includes('usr1\n'))
  await shim.kill('', SIGTERM)
  expect(await exit).toMatchObject({ code: 7, signal: 0 })
  await shim.shutdown()
})

test('a command that is killed, missing or not executable gives the code that shells give', async () => {
  await using keeper = await openKeeper()
  for (const [command, code] of [
    [['sh', '-c', `kill -${SIGKILL} $$`], 137],
    [['nothing'], 127],
    [['/etc'], 126],
  ] as const) {
    const { shim, exit } = await start(keeper, root, { args: underInit(...command), binds })
    expect(await exit).toMatchObject({ code, signal: 0 })
    await shim.shutdown()
  }
})

test('keys on a terminal reach the command', async () => {
  await using keeper = await openKeeper()
  const script = 'trap "echo caught; exit 3" INT; echo ready; while :; do usleep 10000; done'
  const options = { args: underInit('sh', '-c', script), terminal: true, stdin: { open: true, once: false }, binds }
  const { shim } = await create(keeper, root, options)
  const stream = await shim.attach('', { stdin: true, stdout: true, stderr: true, framed: false })
  const exit = nextExit(shim)
  await shim.start('')
  await readUntil(stream, 'ready')
  stream.write('\x03')
  await readUntil(stream, 'caught')
  expect(await exit).toMatchObject({ code: 3 })
  stream.destroy()
  await shim.shutdown()
})
