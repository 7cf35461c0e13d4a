/** Daemons that go and come back, shims that are killed or frozen, strangers on the socket. */
import { execFileSync } from 'node:child_process'
import { existsSync, constants as fsConstants } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { waitFor } from '#test/support/wait-for.ts'
import { aProcess, makeRoot, readLog, type TestRoot } from './shim/container.ts'
import { isAlive, openKeeper } from './shim/keeper.ts'
import { answerTo, cgroupsOf, createAndStart, createExec, nextExit, readAll, start } from './shim/story.ts'

const { SIGKILL, SIGTERM, SIGSTOP, SIGCONT } = constants.signals
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('output flows unhindered and unlost while no daemon is there', async () => {
  await using keeper = await openKeeper()
  const lines = 300_000
  const script = `i=0; yes "$(head -c 99 /dev/zero | tr '\\0' x)" | head -n ${lines}; echo end; exit 42`
  const { shim, files } = await start(keeper, root, { args: ['sh', '-c', script] })
  await shim[Symbol.asyncDispose]()
  await waitFor('the shim to end', () => !isAlive(shim.pid), { timeoutMs: 60_000 })

  expect(await keeper.launcher.adopt(files.directory)).toBeUndefined()
  expect(await keeper.launcher.readExitRecord(files.directory)).toMatchObject({ code: 42 })
  expect(existsSync(join(files.directory, 'shim.sock'))).toBe(false)
  const log = await readFile(files.logPath, 'utf8')
  expect(log.split('{"log":"x').length - 1).toBe(lines)
  expect(log).toContain('{"log":"end\\n"')
  expect(await cgroupsOf(files.id)).toEqual([])
})

test('a new daemon finds the container and gets the exit that the old one did not take', async () => {
  await using keeper = await openKeeper()
  const { shim, files } = await start(keeper, root, { args: ['cat'], stdin: { open: true, once: false } })
  const exits: number[] = []
  shim.onExit(async ({ code }) => {
    exits.push(code)
    throw new Error('the old daemon dies before it has recorded the exit')
  })
  const second = await keeper.launcher.adopt(files.directory)
  if (!second) throw new Error('the shim was not found')
  expect(await second.state()).toMatchObject({ state: 'running' })
  expect(shim.alive).toBe(false)

  await second.closeStdin('')
  await waitFor('the exit record', () => existsSync(join(files.directory, 'exit.json')))
  // Nobody has listened on this connection yet: the event waits in the handle, and in the shim until it is acknowledged.
  const third = await keeper.launcher.adopt(files.directory)
  if (!third) throw new Error('the shim was not found again')
  expect(await nextExit(third)).toMatchObject({ task: '', code: 0 })
  await third.shutdown()
  await waitFor('the shim to end', () => !isAlive(shim.pid))
  expect(exits).toEqual([])
})

test('an exec that its daemon did not come to start is gone for the next one', async () => {
  await using keeper = await openKeeper()
  const { shim, files } = await start(keeper, root, { args: ['sleep', '1000'] })
  await createExec(keeper, shim, 'running', ['sleep', '1000'])
  await shim.start('running')
  const { pid } = await keeper.create(shim, 'waiting', aProcess(['true']), undefined)
  await shim[Symbol.asyncDispose]()
  await waitFor('the exec to end', () => !isAlive(pid))
  const next = await keeper.launcher.adopt(files.directory)
  if (!next) throw new Error('the shim was not found')
  expect((await next.state()).execs).toEqual([{ id: 'running', pid: expect.any(Number) }])
  const exit = nextExit(next)
  await next.kill('', SIGKILL)
  await exit
  await next.shutdown()
})

test('a shim that is killed takes its container along', async () => {
  await using keeper = await openKeeper()
  const { shim, files, pid } = await start(keeper, root, { args: ['sleep', '1000'] })
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  shim.onGone(resolve)
  process.kill(shim.pid, SIGKILL)
  await gone
  await waitFor('init to die', () => !isAlive(pid))
  expect(await keeper.launcher.adopt(files.directory)).toBeUndefined()
  expect(await keeper.launcher.readExitRecord(files.directory)).toBeUndefined()
  await keeper.removeCgroup(`/berth/${files.id}`)
})

test('a frozen shim times out instead of hanging its daemon', async () => {
  await using keeper = await openKeeper({ timeoutMs: 300 })
  const { shim, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
  // Also when the request waits for ever: then it ends with the shim.
  onTestFinished(() => {
    if (isAlive(shim.pid)) process.kill(shim.pid, SIGKILL)
  })
  process.kill(shim.pid, SIGSTOP)
  await expect(shim.state()).rejects.toMatchObject({ kind: 'timeout' })
  process.kill(shim.pid, SIGCONT)
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
}, 30_000)

test('orphans that come to the shim, as in the host’s pid namespace, are collected', async () => {
  await using keeper = await openKeeper()
  const script = 'for i in 1 2 3 4 5; do ( ( usleep 1000 ) & ); done; exec sleep 1000'
  const { shim, exit, pid } = await start(keeper, root, { args: ['sh', '-c', script], hostPids: true })
  await createExec(keeper, shim, 'forks', ['sh', '-c', '( ( true ) & ); ( ( exec true ) & )'])
  const done = nextExit(shim, 'forks')
  await shim.start('forks')
  expect(await done).toMatchObject({ code: 0 })
  const children = async () => (await readFile(`/proc/${shim.pid}/task/${shim.pid}/children`, 'utf8')).trim()
  await waitFor('init to be the only child', async () => (await children()) === String(pid))
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('SIGTERM does not end a shim', async () => {
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
  for (const signal of [SIGTERM, constants.signals.SIGHUP, constants.signals.SIGINT]) process.kill(shim.pid, signal)
  expect(await shim.state()).toMatchObject({ state: 'running' })
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('what is not our protocol ends the connection, and the container lives on', async () => {
  await using keeper = await openKeeper()
  const { files } = await start(keeper, root, { args: ['sleep', '1000'] })
  for (const bytes of ['ffffffff0b000000', '000000000b000100', '000000000b000000', '01000000040000000100000000']) {
    const rest = bytes.length === 16 ? '0000000000000000' : '00000000ff'
    await expect(answerTo(keeper, files, Buffer.from(bytes + rest, 'hex'))).resolves.toHaveLength(0)
  }
  const unknown = Buffer.from('00000000e70300000500000000000000', 'hex')
  const answer = await answerTo(keeper, files, unknown)
  expect(answer.readUInt16LE(4)).toBe(0x100)
  expect(answer.readBigUInt64LE(8)).toBe(5n)
  expect(answer.readInt32LE(16)).toBe(constants.errno.ENOSYS)

  const next = await keeper.launcher.adopt(files.directory)
  if (!next) throw new Error('the shim was not found')
  expect(await next.state()).toMatchObject({ state: 'running' })
  const exit = nextExit(next)
  await next.kill('', SIGKILL)
  await exit
  await next.shutdown()
})

test('a log that reaches the limit of its shim’s files loses records, and nothing else', async () => {
  await using keeper = await openKeeper()
  const options = { args: ['sh', '-c', 'read go; yes | head -c 100000; exit 3'], stdin: { open: true, once: false } }
  const { shim, files, exit } = await start(keeper, root, options)
  execFileSync('prlimit', ['--pid', String(shim.pid), '--fsize=4096:'])
  const stream = await shim.attach('', { stdin: true, stdout: true, stderr: false, framed: false })
  const output = readAll(stream)
  stream.write('go\n')
  expect(await exit).toMatchObject({ code: 3 })
  expect((await output).length).toBe(100_000)
  const { length } = await readLog(files.logPath)
  expect(length).toBeLessThan(60)
  stream.destroy()
  await shim.shutdown()
})

test('a shim whose complaints nobody reads goes on', async () => {
  const fifo = join(root.directory, 'complaints')
  execFileSync('mkfifo', [fifo])
  await using filler = await open(fifo, fsConstants.O_RDWR | fsConstants.O_NONBLOCK)
  const fill = async (): Promise<never> => {
    for (;;) await filler.write(Buffer.alloc(4096))
  }
  await expect(fill()).rejects.toMatchObject({ code: 'EAGAIN' })
  await using full = await open(fifo, fsConstants.O_RDWR)

  await using keeper = await openKeeper({ logDescriptor: full.fd, timeoutMs: 5_000 })
  const { shim, files, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
  await rm(files.directory, { recursive: true }) // where the record of the end cannot be written any more
  await shim.kill('', SIGKILL)
  expect(await exit).toMatchObject({ code: 137 })
  await shim.shutdown()
})

test('a second shim for the same container is refused', async () => {
  await using keeper = await openKeeper()
  const { shim, files, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
  const other = await keeper.launcher.launch()
  await expect(createAndStart(keeper, other, files)).rejects.toMatchObject({ kind: 'conflict' })
  await other.shutdown()
  expect(await shim.state()).toMatchObject({ state: 'running' })
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})
