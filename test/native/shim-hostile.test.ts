/** What a container may do to its own shim, which serves it and nobody else. */
import { execFile } from 'node:child_process'
import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freezeInside } from '#test/support/freeze-inside.ts'
import { waitFor } from '#test/support/wait-for.ts'
import { aProcess, makeRoot, readLog, type TestRoot } from './shim/container.ts'
import { openKeeper } from './shim/keeper.ts'
import { create, createExec, nextExit, start } from './shim/story.ts'

const { SIGKILL } = constants.signals
const run = promisify(execFile)
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
  const source = join(import.meta.dirname, 'shim/knock.c')
  await run('musl-gcc', ['-std=gnu17', '-Wall', '-Werror', '-static', '-o', join(root.rootfs, 'bin/knock'), source])
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('an exec that the container stops on its way in fails in words, and the shim goes on', {
  timeout: 60_000,
}, async () => {
  await using keeper = await openKeeper()
  const stopOthers = 'for p in $(ls /proc); do test $p = 1 || kill -STOP $p; done 2>/dev/null'
  const { shim, exit } = await start(keeper, root, {
    args: ['sh', '-c', `while :; do ${stopOthers}; usleep 20000; done`],
  })
  const join = async (): Promise<void> => {
    const { pid } = await keeper.create(shim, 'one', aProcess(['true']), undefined)
    await waitFor('the exec is stopped', async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') T '))
    await shim.start('one')
  }
  await expect(join()).rejects.toThrow('the new process said nothing for 20 s')
  await shim.kill('', SIGKILL)
  expect(await exit).toMatchObject({ code: 137 })
  await shim.shutdown()
})

test('a command of /proc/self/exe is the shim’s sealed copy, in a run and in an exec, which nobody can write', async () => {
  await using keeper = await openKeeper()
  const { shim, pid } = await create(keeper, root, { args: ['/proc/self/exe'] })
  await using held = await open(`/proc/${pid}/exe`)
  await expect(writeFile(`/proc/${pid}/exe`, 'x', { flag: 'r+' })).rejects.toThrow(/ETXTBSY|EPERM/)
  const exit = nextExit(shim)
  await shim.start('')
  expect(await exit).toMatchObject({ code: 1 }) // a shim without its daemon's socket
  await shim.shutdown()
  await expect(writeFile(`/proc/self/fd/${held.fd}`, 'x', { flag: 'r+' })).rejects.toThrow(/ETXTBSY|EPERM/)

  const other = await start(keeper, root, { args: ['sleep', '1000'] })
  const execExit = nextExit(other.shim, 'self')
  await createExec(keeper, other.shim, 'self', ['/proc/self/exe'])
  await other.shim.start('self')
  expect(await execExit).toMatchObject({ code: 1 })
  await other.shim.kill('', SIGKILL)
  await other.exit
  await other.shim.shutdown()
})

test('however many execs a container has, a daemon that comes back hears of them all', async () => {
  await using keeper = await openKeeper()
  const { shim, files } = await start(keeper, root, { args: ['sleep', '1000'] })
  const ids: string[] = []
  const fill = async (): Promise<never> => {
    for (;;) {
      const id = `${ids.length}-`.padEnd(255, 'x')
      await createExec(keeper, shim, id, ['sleep', '1000'])
      await shim.start(id)
      ids.push(id)
    }
  }
  await expect(fill()).rejects.toThrow('the container has as many execs as its shim can keep')
  const again = await keeper.launcher.adopt(files.directory)
  if (!again) throw new Error('the shim was not found again')
  expect((await again.state()).execs.map(({ id }) => id).sort()).toEqual(ids.sort())
  const exit = nextExit(again)
  await again.kill('', SIGKILL)
  expect(await exit).toMatchObject({ code: 137 })
  await again.shutdown()
})

test.each([
  ['a pid namespace of its own', false],
  ['the host’s pid namespace', true],
])('root in a container with %s that has its shim’s directory is turned away', async (_, hostPids) => {
  await using keeper = await openKeeper()
  const shims = join(root.directory, 'shims')
  const { shim, files } = await start(keeper, root, {
    args: ['sh', '-c', 'read id; for i in 1 2; do knock /shims/$id/shim.sock; done; read line'],
    stdin: { open: true, once: false },
    binds: { [shims]: '/shims' },
    hostPids,
  })
  const stream = await shim.attach('', { stdin: true, stdout: false, stderr: false, framed: false })
  stream.write(`${files.id}\n`)
  const heard = await waitFor('the answers', async () => {
    const lines = (await readLog(files.logPath)).map(({ log }) => log)
    return lines.length >= 2 && lines
  })
  stream.destroy()
  expect(heard).toEqual(['turned away\n', 'turned away\n'])
  // The daemon keeps its connection, and another one of the host is served.
  expect(await shim.state()).toMatchObject({ state: 'running' })
  const path = `/proc/self/cwd/${files.id}/shim.sock`
  const { stdout } = await run(join(root.rootfs, 'bin/knock'), [path], { cwd: shims })
  expect(stdout).toBe('answered\n')
  const again = await keeper.launcher.adopt(files.directory)
  if (!again) throw new Error('the shim was not found again')
  const ended = nextExit(again)
  await again.kill('', SIGKILL)
  await ended
  await again.shutdown()
})

test('a shim without a free descriptor rests until there is one, and is found then', async () => {
  await using keeper = await openKeeper()
  const { shim, files } = await start(keeper, root, { args: ['sleep', '1000'] })
  const taken = (await readdir(`/proc/${shim.pid}/fd`)).map(Number)
  const free = taken.sort((a, b) => a - b).findIndex((number, index) => number !== index)
  const limit = free < 0 ? taken.length : free
  await run('prlimit', ['--pid', String(shim.pid), `--nofile=${limit}:`])
  const knocking = new Socket({ fd: keeper.kernel.connect(join(files.directory, 'shim.sock')), readable: true })
  const before = await cpuNanos(shim.pid)
  const since = performance.now()
  await waitFor('half a second', () => performance.now() - since > 500)
  expect(Number((await cpuNanos(shim.pid)) - before) / 1e6).toBeLessThan(50)
  knocking.destroy()

  await run('prlimit', ['--pid', String(shim.pid), `--nofile=${limit + 64}:`])
  const again = await keeper.launcher.adopt(files.directory)
  if (!again) throw new Error('the shim was not found again')
  const exit = nextExit(again)
  await again.kill('', SIGKILL)
  expect(await exit).toMatchObject({ code: 137 })
  await again.shutdown()
})

/** What a process has used of the processor. */
async function cpuNanos(pid: number): Promise<bigint> {
  return BigInt((await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')[0] ?? '')
}

test('a container that froze itself in a group of its own ends when it is killed', async () => {
  await using keeper = await openKeeper()
  const { shim, exit, files, pid } = await start(keeper, root, { args: ['sleep', '1000'] })
  await freezeInside(`/berth/${files.id}`, pid)
  await shim.kill('', SIGKILL)
  expect(await exit).toMatchObject({ code: 137 })
  await shim.shutdown()
})
