/** What goes in and out of containers and execs: attach, half-close, terminals, slow clients. */
import { stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { internal } from '#base/errors.ts'
import { runExec } from '#containers/exec-run.ts'
import { openLibrary } from '#runtime/library.ts'
import { openSockets } from '#runtime/socket.ts'
import { waitFor } from '#test/support/wait-for.ts'
import { aProcess, makeRoot, readLog, type TestRoot } from './shim/container.ts'
import { openKeeper } from './shim/keeper.ts'
import { create, createExec, nextExit, readAll, readUntil, start, withoutFrames } from './shim/story.ts'

const { SIGKILL } = constants.signals
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('who attaches before the start misses nothing, and half-closing stdin ends cat', async () => {
  await using keeper = await openKeeper()
  const { shim, files } = await create(keeper, root, { args: ['cat'], stdin: { open: true, once: true } })
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
  const { shim, exit } = await start(keeper, root, { args: ['cat'], stdin: { open: true, once: false } })
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

test('who still writes when the process has ended loses none of its output', async () => {
  await using keeper = await openKeeper()
  const args = ['sh', '-c', 'head -c 5 >/dev/null; head -c 150000 /dev/zero']
  const { shim } = await create(keeper, root, { args, stdin: { open: true, once: true } })
  const stream = await shim.attach('', { stdin: true, stdout: true, stderr: true, framed: false })
  const exit = nextExit(shim)
  await shim.start('')
  stream.write('12345')
  expect(await exit).toMatchObject({ code: 0 })
  // Answered after the shim has dealt with the end.
  await shim.state()
  await new Promise<void>((resolve, reject) => {
    stream.write('nobody reads this', (error) => (error ? reject(error) : resolve()))
  })
  expect((await readAll(stream)).length).toBe(150_000)
  stream.destroy()
  await shim.shutdown()
})

test('framed output keeps its streams apart, for several clients at once', async () => {
  await using keeper = await openKeeper()
  const { shim } = await create(keeper, root, { args: ['sh', '-c', 'echo out; sleep 0.05; echo err >&2'] })
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
  const { shim } = await create(keeper, root, { args, terminal: true, stdin: { open: true, once: true } })
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
  const { shim, files, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
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

test('an exec that nobody could attach to does not stay waiting inside', async () => {
  let refuse = false
  const library = await openLibrary({ libraryPath: join(import.meta.dirname, '../../build/native/libberth.so') })
  const sockets = openSockets(library)
  const kernel = {
    socketPair: () => {
      if (refuse) throw internal('socketpair: too many open files', { code: 'EMFILE' })
      return sockets.socketPair()
    },
  }
  await using keeper = await openKeeper({ kernel })
  const { shim, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
  const done = nextExit(shim, 'alone')
  refuse = true
  const plan = keeper.compile(aProcess(['true']), undefined)
  const running = runExec(shim, 'alone', plan, {
    connect: async () => {
      await shim.attach('alone', { stdin: false, stdout: true, stderr: true, framed: false })
    },
    beforeStart: () => {
      throw new Error('reached the start')
    },
  })
  await expect(running).rejects.toThrow('too many open files')
  keeper.kernel.close(plan)
  expect(await done).toMatchObject({ code: 137 })
  expect((await shim.state()).execs).toEqual([])
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

test('an exec whose stdin is closed at once reads an end of file', async () => {
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
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
  const { shim, exit } = await start(keeper, root, { args: ['sleep', '1000'] })
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

test('a client that reads late gets every byte, and the container waits for it', async () => {
  await using keeper = await openKeeper()
  const line = 'a line of output that is neither very short nor very long, as programs write them'
  const bytes = 8_000_000
  const { shim, files } = await create(keeper, root, { args: ['sh', '-c', `yes '${line}' | head -c ${bytes}`] })
  const stream = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: true })
  const exit = nextExit(shim)
  await shim.start('')
  let before = 0
  const standsStill = async () => {
    const { size } = await stat(files.logPath)
    const same = size > 1_000_000 && size === before
    before = size
    return same
  }
  await waitFor('the ring is full, so that the log stands still', standsStill, { intervalMs: 100 })
  expect((await stat(files.logPath)).size).toBeLessThan(bytes)
  const received = withoutFrames(await readAll(stream))
  expect(received.equals(Buffer.alloc(bytes, `${line}\n`))).toBe(true)
  expect(await exit).toMatchObject({ code: 0 })
  await shim.shutdown()
})

test('a client that never reads is dropped after ten seconds, and the container goes on', async () => {
  await using keeper = await openKeeper()
  const { shim } = await create(keeper, root, { args: ['sh', '-c', 'yes | head -c 5000000; exit 6'] })
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
  const { shim } = await create(keeper, root, { args: ['sh', '-c', 'yes | head -c 900000'] })
  const stream = await shim.attach('', { stdin: false, stdout: true, stderr: true, framed: false })
  const exit = nextExit(shim)
  await shim.start('')
  await exit
  const end = shim.shutdown()
  expect((await readAll(stream)).length).toBe(900_000)
  await end
})
