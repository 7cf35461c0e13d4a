/** The life of a container in a real shim, without a daemon: each test has its own launcher and directory. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitFor } from '#test/support/wait-for.ts'
import { aContainer, makeRoot, readLog, type TestRoot } from './shim/container.ts'
import { isAlive, openKeeper, pssBytes } from './shim/keeper.ts'
import {
  cgroupsOf,
  create,
  createAndStart,
  createExec,
  descriptors,
  nextExit,
  readUntil,
  start,
  tail,
} from './shim/story.ts'

const { SIGKILL, SIGTERM } = constants.signals
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('a container runs, logs, and its exit is told, recorded and cleaned up', async () => {
  await using keeper = await openKeeper()
  const { shim, files, exit } = await start(keeper, root, { args: ['sh', '-c', 'echo out; echo err >&2; exit 42'] })
  expect(await exit).toMatchObject({ task: '', code: 42, signal: 0, oomKilled: false })
  expect(await shim.state()).toMatchObject({ state: 'stopped', execs: [] })

  expect(await readLog(files.logPath)).toEqual([
    { log: 'out\n', stream: 'stdout', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/) },
    { log: 'err\n', stream: 'stderr', time: expect.any(String) },
  ])
  expect(await keeper.launcher.readExitRecord(files.directory)).toMatchObject({ code: 42, signal: 0, oomKilled: false })
  expect(await cgroupsOf(files.id)).toEqual([])

  await shim.shutdown()
  expect(existsSync(join(files.directory, 'shim.sock'))).toBe(false)
  expect(existsSync(join(files.directory, 'shim.json'))).toBe(false)
  expect(isAlive(shim.pid)).toBe(false)
})

test('a warm shim serves like a cold one', async () => {
  await using keeper = await openKeeper({ warm: 1 })
  for (let i = 0; i < 3; i++) {
    const { shim, exit } = await start(keeper, root, { args: ['true'] })
    expect(await exit).toMatchObject({ code: 0 })
    await shim.shutdown()
  }
  expect(keeper.reported).toEqual([])
})

test('bytes that are not text are logged as Docker logs them', async () => {
  await using keeper = await openKeeper()
  const script = "printf 'a\\377b <&>\\t\\033\\n'; printf 'no end'"
  const { shim, files, exit } = await start(keeper, root, { args: ['sh', '-c', script] })
  await exit
  const text = await readFile(files.logPath, 'utf8')
  const records = text.split('\n').map((line) => line.replace(/"time":.*/, ''))
  expect(records).toEqual([
    String.raw`{"log":"a\ufffdb \u003c\u0026\u003e\u0009\u001b\n","stream":"stdout",`,
    '{"log":"no end","stream":"stdout",',
    '',
  ])
  await shim.shutdown()
})

test('a log in the CRI’s format has whole and cut lines, and goes on in a new file when it is told to', async () => {
  await using keeper = await openKeeper()
  const script = 'echo out; echo err >&2; head -c 100000 /dev/zero | tr "\\0" x; echo; read line; printf end'
  const { shim, files, exit } = await start(keeper, root, {
    args: ['sh', '-c', script],
    stdin: { open: true, once: false },
    log: { lineMax: 1 << 20 },
  })
  const long = /^\S+Z stdout P x+\n(?:\S+Z stdout P x+\n)*\S+Z stdout F x*\n/m
  const first = await waitFor('the long line', async () => {
    const text = await readFile(files.logPath, 'utf8')
    return long.test(text) && text
  })
  expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z stdout F out$/m)
  expect(first).toMatch(/^\S+Z stderr F err$/m)
  expect(first.replaceAll(/[^x]/g, '')).toHaveLength(100_000)

  await rename(files.logPath, `${files.logPath}.1`)
  await shim.reopenLog()
  const stream = await shim.attach('', { stdin: true, stdout: false, stderr: false, framed: false })
  stream.end('go on\n')
  expect(await exit).toMatchObject({ code: 0 })
  expect(await readFile(files.logPath, 'utf8')).toMatch(/^\S+Z stdout P end\n$/)
  stream.destroy()
  await shim.shutdown()
})

test('a missing program is told in words, and the shim is empty again', async () => {
  await using keeper = await openKeeper()
  const shim = await keeper.launcher.launch()
  const files = aContainer(root, { args: ['no-such-program'] })
  await expect(createAndStart(keeper, shim, files)).rejects.toThrow(
    'exec: "no-such-program": executable file not found in $PATH',
  )
  expect(await shim.state()).toMatchObject({ state: 'empty', pid: 0 })
  expect(existsSync(join(files.directory, 'shim.sock'))).toBe(false)
  expect(existsSync(join(files.directory, 'lock'))).toBe(false)
  expect(await cgroupsOf(files.id)).toEqual([])

  const next = aContainer(root, { args: ['true'] })
  const exit = nextExit(shim)
  await createAndStart(keeper, shim, next)
  expect(await exit).toMatchObject({ code: 0 })
  await shim.shutdown()
})

test('signals reach init, and one that has ended is not found', async () => {
  await using keeper = await openKeeper()
  const script = 'trap "exit 5" TERM; echo ready; while :; do usleep 10000; done'
  const { shim } = await create(keeper, root, { args: ['sh', '-c', script] })
  const stream = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: false })
  const exit = nextExit(shim)
  await shim.start('')
  await readUntil(stream, 'ready')
  await shim.kill('', SIGTERM)
  expect(await exit).toMatchObject({ code: 5, signal: 0 })
  stream.destroy()
  await expect(shim.kill('', SIGTERM)).rejects.toMatchObject({ kind: 'not-found' })
  await expect(shim.kill('nobody', SIGTERM)).rejects.toMatchObject({ kind: 'not-found' })
  await shim.shutdown()
})

test('a paused container stands still, and dies when it is killed', async () => {
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, root, { args: ['sh', '-c', 'while :; do echo tick; usleep 10000; done'] })
  const stream = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: false })
  await readUntil(stream, 'tick')
  await shim.pause()
  expect(await shim.state()).toMatchObject({ state: 'running', paused: true })
  await shim.resume()
  await readUntil(stream, 'tick')
  await shim.pause()
  await expect(createExec(keeper, shim, 'late', ['true'])).rejects.toMatchObject({ kind: 'conflict' })
  await shim.kill('', SIGKILL)
  expect(await exit).toMatchObject({ code: 137 })
  stream.destroy()
  await shim.shutdown()
})

test('a container that is killed for memory says so', async () => {
  await using keeper = await openKeeper()
  const args = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=64M', 'count=1']
  const { shim, exit } = await start(keeper, root, { args, memory: 16 << 20 })
  const { promise: oom, resolve } = Promise.withResolvers<void>()
  shim.onOom(resolve)
  await oom
  expect(await exit).toMatchObject({ oomKilled: true })
  await shim.shutdown()
})

test('a shim costs at most 150 kB, also after much output', async () => {
  await using keeper = await openKeeper()
  const line = 'a line of output that is neither very short nor very long, as programs write them'
  const args = ['sh', '-c', `yes '${line}' | head -c 30000000; echo; echo quiet; exec sleep 1000`]
  const { shim, files, exit } = await start(keeper, root, { args })
  await waitFor('the output to end', async () => (await tail(files.logPath)).includes('quiet'), { timeoutMs: 30_000 })
  const bytes = await waitFor('the buffers to go back', async () => {
    const pss = await pssBytes(shim.pid)
    return pss <= 150_000 && pss
  })
  expect(bytes).toBeLessThanOrEqual(150_000)
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('the socket of a shim is root’s only', async () => {
  await using keeper = await openKeeper()
  const { shim, files, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
  const { mode, uid } = await stat(join(files.directory, 'shim.sock'))
  expect([mode & 0o777, uid]).toEqual([0o600, 0])
  const abstract = (await readFile('/proc/net/unix', 'utf8')).split('\n').filter((line) => line.includes('@berth'))
  expect(abstract).toEqual([])
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('many containers at once, and afterwards nothing is left of them', async () => {
  await using keeper = await openKeeper()
  const run = async (code: number): Promise<void> => {
    const { shim, files, exit } = await start(keeper, root, { args: ['sh', '-c', `echo ${code}; exit ${code}`] })
    expect(await exit).toMatchObject({ code })
    expect(await readLog(files.logPath)).toMatchObject([{ log: `${code}\n` }])
    await shim.shutdown()
    expect(await cgroupsOf(files.id)).toEqual([])
  }
  await run(1)
  const before = await descriptors()
  await Promise.all(Array.from({ length: 12 }, (_, i) => run(i)))
  expect(await descriptors()).toBe(before)
})

test('a file of the shim that is in the way is named, and nothing stays behind', async () => {
  await using keeper = await openKeeper()
  const shim = await keeper.launcher.launch()
  const files = aContainer(root, { args: ['true'] })
  await mkdir(files.logPath)
  await expect(createAndStart(keeper, shim, files)).rejects.toThrow(`open log '${files.logPath}'`)
  expect(await readdir(files.directory)).toEqual([])
  await shim.shutdown()
})
