/** A real shim and real containers, without a daemon: each test has its own launcher, directory and root filesystem. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ExitEvent } from '#shim/protocol.ts'
import type { Shim } from '#shim/shim.ts'
import { waitFor } from '#test/support/wait-for.ts'
import {
  aContainer,
  aProcess,
  type ContainerFiles,
  type ContainerOptions,
  makeRoot,
  readLog,
  type TestRoot,
} from './shim/container.ts'
import { isAlive, type Keeper, openKeeper, pssBytes } from './shim/keeper.ts'

const { SIGKILL, SIGTERM, SIGSTOP, SIGCONT } = constants.signals
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('a container runs, logs, and its exit is told, recorded and cleaned up', async () => {
  await using keeper = await openKeeper()
  const { shim, files, exit } = await start(keeper, { args: ['sh', '-c', 'echo out; echo err >&2; exit 42'] })
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
    const { shim, exit } = await start(keeper, { args: ['true'] })
    expect(await exit).toMatchObject({ code: 0 })
    await shim.shutdown()
  }
  expect(keeper.reported).toEqual([])
})

test('bytes that are not text are logged as Docker logs them', async () => {
  await using keeper = await openKeeper()
  const script = "printf 'a\\377b <&>\\t\\033\\n'; printf 'no end'"
  const { shim, files, exit } = await start(keeper, { args: ['sh', '-c', script] })
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

test('who attaches before the start misses nothing, and half-closing stdin ends cat', async () => {
  await using keeper = await openKeeper()
  const { shim, files } = await create(keeper, { args: ['cat'], stdin: { open: true, once: true } })
  const stream = await shim.attach('', { stdin: true, stdout: true, stderr: true, framed: false })
  const exit = nextExit(shim)
  await shim.start('')
  const sent = Buffer.alloc(3_000_000, 'all of it comes back\n')
  stream.end(sent)
  expect((await readAll(stream)).equals(sent)).toBe(true)
  expect(await exit).toMatchObject({ code: 0 })
  expect((await readLog(files.logPath)).length).toBe(Math.ceil(sent.length / 21))
  await shim.shutdown()
})

test('without stdin-once a client may go and another one come', async () => {
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, { args: ['cat'], stdin: { open: true, once: false } })
  const first = await shim.attach('', { stdin: true, stdout: true, stderr: false, framed: false })
  first.write('one\n')
  await readUntil(first, 'one\n')
  first.destroy()
  const second = await shim.attach('', { stdin: true, stdout: true, stderr: false, framed: false })
  second.end('two\n')
  await readUntil(second, 'two\n')
  await shim.closeStdin('')
  expect(await exit).toMatchObject({ code: 0 })
  await shim.shutdown()
})

test('framed output keeps its streams apart, for several clients at once', async () => {
  await using keeper = await openKeeper()
  const { shim } = await create(keeper, { args: ['sh', '-c', 'echo out; sleep 0.05; echo err >&2'] })
  const both = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: true })
  const errors = await shim.attach('', { stdin: false, stdout: false, stderr: true, framed: false })
  await shim.start('')
  expect((await readAll(both)).toString('latin1')).toBe('\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n')
  expect((await readAll(errors)).toString()).toBe('err\n')
  await shim.shutdown()
})

test('a terminal has its size, takes a new one, and echoes', async () => {
  await using keeper = await openKeeper()
  const args = ['sh', '-c', 'stty size; read line; stty size; echo "got $line"; exit 3']
  const { shim } = await create(keeper, { args, terminal: true, stdin: { open: true, once: true } })
  const stream = await shim.attach('', { stdin: true, stdout: true, stderr: true, framed: false })
  const exit = nextExit(shim)
  await shim.start('')
  await readUntil(stream, '24 80')
  await shim.resize('', 50, 132)
  stream.write('hello\n')
  const rest = (await readAll(stream)).toString()
  expect(rest).toContain('50 132')
  expect(rest).toContain('got hello')
  expect(await exit).toMatchObject({ code: 3 })
  await shim.shutdown()
})

test('an exec has its own streams, exit and terminal, and never writes to the log', async () => {
  await using keeper = await openKeeper()
  const { shim, files, exit } = await start(keeper, { args: ['sleep', '1000'] })
  const done = nextExit(shim, 'first')
  await createExec(keeper, shim, 'first', ['sh', '-c', 'cat; id -u; exit 7'])
  const stream = await shim.attach('first', { stdin: true, stdout: true, stderr: true, framed: false })
  await shim.start('first')
  expect((await shim.state()).execs).toMatchObject([{ id: 'first' }])
  stream.end('from outside\n')
  expect((await readAll(stream)).toString()).toBe('from outside\n0\n')
  expect(await done).toMatchObject({ task: 'first', code: 7 })

  const second = nextExit(shim, 'second')
  await createExec(keeper, shim, 'second', ['stty', 'size'], true)
  await shim.resize('second', 10, 20)
  const terminal = await shim.attach('second', { stdin: false, stdout: true, stderr: true, framed: false })
  await shim.start('second')
  expect((await readAll(terminal)).toString()).toBe('10 20\r\n')
  expect(await second).toMatchObject({ code: 0 })

  await expect(createExec(keeper, shim, 'third', ['nothing'])).rejects.toThrow('executable file not found in $PATH')
  expect((await shim.state()).execs).toEqual([])
  await shim.kill('', SIGKILL)
  expect(await exit).toMatchObject({ code: 137, signal: 9 })
  expect(await readLog(files.logPath)).toEqual([])
  await shim.shutdown()
})

test('an exec whose stdin is closed at once reads an end of file', async () => {
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, { args: ['sleep', '1000'] })
  const done = nextExit(shim, 'cat')
  await createExec(keeper, shim, 'cat', ['cat'])
  await shim.closeStdin('cat')
  await shim.start('cat')
  expect(await done).toMatchObject({ code: 0 })
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('an exec has ended although a process it left behind still holds its output', async () => {
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, { args: ['sleep', '1000'] })
  const done = nextExit(shim, 'left')
  await createExec(keeper, shim, 'left', ['sh', '-c', 'echo begun; sleep 1000 & exit 4'])
  const stream = await shim.attach('left', { stdin: false, stdout: true, stderr: true, framed: false })
  const before = performance.now()
  await shim.start('left')
  expect((await readAll(stream)).toString()).toBe('begun\n')
  expect(await done).toMatchObject({ code: 4 })
  expect(performance.now() - before).toBeGreaterThan(1_900)
  expect((await shim.state()).execs).toEqual([])
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('signals reach init, and one that has ended is not found', async () => {
  await using keeper = await openKeeper()
  const script = 'trap "exit 5" TERM; echo ready; while :; do usleep 10000; done'
  const { shim } = await create(keeper, { args: ['sh', '-c', script] })
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
  const { shim, exit } = await start(keeper, { args: ['sh', '-c', 'while :; do echo tick; usleep 10000; done'] })
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
  const args = ['sh', '-c', 'x=$(yes | head -c 100000000); echo $x | head -c 1']
  const { shim, exit } = await start(keeper, { args, memory: 16 << 20 })
  const { promise: oom, resolve } = Promise.withResolvers<void>()
  shim.onOom(resolve)
  await oom
  expect(await exit).toMatchObject({ oomKilled: true })
  await shim.shutdown()
})

test('output flows unhindered and unlost while no daemon is there', async () => {
  await using keeper = await openKeeper()
  const lines = 300_000
  const script = `i=0; yes "$(head -c 99 /dev/zero | tr '\\0' x)" | head -n ${lines}; echo end; exit 42`
  const { shim, files } = await start(keeper, { args: ['sh', '-c', script] })
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
  const { shim, files } = await start(keeper, { args: ['cat'], stdin: { open: true, once: false } })
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

test('a shim that is killed takes its container along', async () => {
  await using keeper = await openKeeper()
  const { shim, files, pid } = await start(keeper, { args: ['sleep', '1000'] })
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  shim.onGone(resolve)
  process.kill(shim.pid, SIGKILL)
  await gone
  await waitFor('init to die', () => !isAlive(pid))
  expect(await keeper.launcher.adopt(files.directory)).toBeUndefined()
  expect(await keeper.launcher.readExitRecord(files.directory)).toBeUndefined()
  await keeper.removeCgroup(`/berth/${files.id}`)
})

test('a client that reads late gets every byte, and the container waits for it', async () => {
  await using keeper = await openKeeper()
  const line = 'a line of output that is neither very short nor very long, as programs write them'
  const bytes = 8_000_000
  const { shim, files } = await create(keeper, { args: ['sh', '-c', `yes '${line}' | head -c ${bytes}`] })
  const stream = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: true })
  const exit = nextExit(shim)
  await shim.start('')
  await waitFor('the ring to be full', async () => {
    const { size } = await stat(files.logPath)
    await sleep(100)
    return size > 1_000_000 && (await stat(files.logPath)).size === size
  })
  expect((await stat(files.logPath)).size).toBeLessThan(bytes)
  const received = withoutFrames(await readAll(stream))
  expect(received.equals(Buffer.alloc(bytes, `${line}\n`))).toBe(true)
  expect(await exit).toMatchObject({ code: 0 })
  await shim.shutdown()
})

test('a client that never reads is dropped after ten seconds, and the container goes on', async () => {
  await using keeper = await openKeeper()
  const { shim } = await create(keeper, { args: ['sh', '-c', 'yes | head -c 5000000; exit 6'] })
  const stuck = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: false })
  stuck.pause()
  const exit = nextExit(shim)
  const before = performance.now()
  await shim.start('')
  expect(await exit).toMatchObject({ code: 6 })
  expect(performance.now() - before).toBeGreaterThan(9_000)
  expect(performance.now() - before).toBeLessThan(14_000)
  stuck.destroy()
  await shim.shutdown()
})

test('what a client has not read yet still arrives after the shutdown', async () => {
  await using keeper = await openKeeper()
  const { shim } = await create(keeper, { args: ['sh', '-c', 'yes | head -c 900000'] })
  const stream = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: false })
  const exit = nextExit(shim)
  await shim.start('')
  await exit
  const end = shim.shutdown()
  expect((await readAll(stream)).length).toBe(900_000)
  await end
})

test('a frozen shim times out instead of hanging its daemon', async () => {
  await using keeper = await openKeeper({ timeoutMs: 300 })
  const { shim, exit } = await start(keeper, { args: ['sleep', '1000'] })
  process.kill(shim.pid, SIGSTOP)
  await expect(shim.state()).rejects.toMatchObject({ kind: 'timeout' })
  process.kill(shim.pid, SIGCONT)
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('SIGTERM does not end a shim', async () => {
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, { args: ['sleep', '1000'] })
  for (const signal of [SIGTERM, constants.signals.SIGHUP, constants.signals.SIGINT]) process.kill(shim.pid, signal)
  expect(await shim.state()).toMatchObject({ state: 'running' })
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('a shim costs at most 150 kB, also after much output', async () => {
  await using keeper = await openKeeper()
  const line = 'a line of output that is neither very short nor very long, as programs write them'
  const args = ['sh', '-c', `yes '${line}' | head -c 30000000; echo; echo quiet; exec sleep 1000`]
  const { shim, files, exit } = await start(keeper, { args })
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
  const { shim, files, exit } = await start(keeper, { args: ['sleep', '1000'] })
  const { mode, uid } = await stat(join(files.directory, 'shim.sock'))
  expect([mode & 0o777, uid]).toEqual([0o600, 0])
  const abstract = (await readFile('/proc/net/unix', 'utf8')).split('\n').filter((line) => line.includes('@berth'))
  expect(abstract).toEqual([])
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('what is not our protocol ends the connection, and the container lives on', async () => {
  await using keeper = await openKeeper()
  const { files } = await start(keeper, { args: ['sleep', '1000'] })
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

test('many containers at once, and afterwards nothing is left of them', async () => {
  await using keeper = await openKeeper()
  const run = async (code: number): Promise<void> => {
    const { shim, files, exit } = await start(keeper, { args: ['sh', '-c', `echo ${code}; exit ${code}`] })
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

test('a second shim for the same container is refused', async () => {
  await using keeper = await openKeeper()
  const { shim, files, exit } = await start(keeper, { args: ['sleep', '1000'] })
  const other = await keeper.launcher.launch()
  await expect(createAndStart(keeper, other, files)).rejects.toMatchObject({ kind: 'conflict' })
  await other.shutdown()
  expect(await shim.state()).toMatchObject({ state: 'running' })
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

/* ---- the story of one container ---- */

async function create(
  keeper: Keeper,
  options: ContainerOptions,
): Promise<{ shim: Shim; files: ContainerFiles; pid: number }> {
  const shim = await keeper.launcher.launch()
  const files = aContainer(root, options)
  const { pid } = await keeper.create(shim, '', files.config, files.keeper)
  return { shim, files, pid }
}

async function start(keeper: Keeper, options: ContainerOptions) {
  const created = await create(keeper, options)
  const exit = nextExit(created.shim)
  await created.shim.start('')
  return { ...created, exit }
}

async function createAndStart(keeper: Keeper, shim: Shim, files: ContainerFiles): Promise<void> {
  await keeper.create(shim, '', files.config, files.keeper)
  await shim.start('')
}

async function createExec(
  keeper: Keeper,
  shim: Shim,
  id: string,
  args: readonly string[],
  terminal = false,
): Promise<void> {
  await keeper.create(shim, id, aProcess(args, terminal), undefined)
}

const exitsOf = new WeakMap<Shim, Map<string, PromiseWithResolvers<ExitEvent>>>()

/** The exit of a task, whenever it comes; every shim has one listener that sorts them. */
function nextExit(shim: Shim, task = ''): Promise<ExitEvent> {
  let exits = exitsOf.get(shim)
  if (!exits) {
    const sorted = new Map<string, PromiseWithResolvers<ExitEvent>>()
    exits = sorted
    exitsOf.set(shim, sorted)
    shim.onExit(async (exit) => slot(sorted, exit.task).resolve(exit))
  }
  return slot(exits, task).promise
}

function slot(exits: Map<string, PromiseWithResolvers<ExitEvent>>, task: string): PromiseWithResolvers<ExitEvent> {
  const known = exits.get(task) ?? Promise.withResolvers<ExitEvent>()
  exits.set(task, known)
  return known
}

async function readAll(stream: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'end')
  stream.end()
  return Buffer.concat(chunks)
}

function withoutFrames(framed: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < framed.length; ) {
    const size = framed.readUInt32BE(at + 4)
    parts.push(framed.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  return Buffer.concat(parts)
}

async function readUntil(stream: Socket, text: string): Promise<void> {
  let received = ''
  for (;;) {
    const [chunk] = await once(stream, 'data')
    received += String(chunk)
    if (received.includes(text)) return
  }
}

/** Sends bytes to the shim on a connection of their own.   @returns its answer; empty when it closed the connection */
async function answerTo(keeper: Keeper, files: ContainerFiles, bytes: Buffer): Promise<Buffer> {
  const stream = new Socket({
    fd: keeper.kernel.connect(join(files.directory, 'shim.sock')),
    readable: true,
    writable: true,
  })
  stream.write(bytes)
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  stream.on('data', resolve)
  stream.on('error', () => resolve(Buffer.alloc(0))) // a connection that is closed with bytes unread is reset
  stream.on('end', () => resolve(Buffer.alloc(0)))
  const answer = await promise
  stream.destroy()
  return answer
}

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length
}

async function tail(path: string): Promise<string> {
  return (await readFile(path)).subarray(-4096).toString()
}

async function cgroupsOf(id: string): Promise<string[]> {
  const mounts = (await readdir('/sys/fs/cgroup')).map((name) => join('/sys/fs/cgroup', name, 'berth', id))
  return mounts.filter((path) => existsSync(path))
}
