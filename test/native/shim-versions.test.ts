/** Shims and daemons of different versions: what a container started by one release owes to the daemon of another. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitFor } from '#test/support/wait-for.ts'
import { aContainer, makeRoot, readLog, type TestRoot } from './shim/container.ts'
import { isAlive, type Keeper, openKeeper } from './shim/keeper.ts'
import { Protocol1 } from './shim/protocol1.ts'
import { create, createExec, nextExit, readAll, start } from './shim/story.ts'

const { SIGKILL, SIGTERM } = constants.signals
const golden = join(import.meta.dirname, '../golden/shim')
const earlier = ['0.1.0'].filter((version) => existsSync(fixture(version)))
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

function fixture(version: string): string {
  return join(golden, `berth-shim-${version}.${process.arch}.gz`)
}

describe.each(earlier)('the shim of %s under this daemon', (version) => {
  let shimPath: string

  beforeAll(async () => {
    shimPath = join(root.directory, `berth-shim-${version}`)
    await writeFile(shimPath, gunzipSync(await readFile(fixture(version))), { mode: 0o700 })
  })

  test('makes, attaches, logs, runs execs, resizes, pauses, ends and records', async () => {
    await using keeper = await openKeeper({ shim: shimPath, warm: 1 })
    const args = ['sh', '-c', 'trap "exit 9" TERM; read line; echo "got $line"; while :; do usleep 10000; done']
    const { shim, files } = await create(keeper, root, { args, stdin: { open: true, once: false } })
    const stream = await shim.attach('', { stdin: true, stdout: true, stderr: true, framed: false })
    const output = readAll(stream)
    const exit = nextExit(shim)
    await shim.start('')
    stream.write('words\n')

    const done = nextExit(shim, 'inside')
    await createExec(keeper, shim, 'inside', ['stty', 'size'], true)
    await shim.resize('inside', 7, 11)
    const inside = await shim.attach('inside', { stdin: false, stdout: true, stderr: true, framed: false })
    await shim.start('inside')
    expect((await readAll(inside)).toString()).toBe('7 11\r\n')
    expect(await done).toMatchObject({ code: 0 })

    await waitFor('the line to be logged', async () => (await readLog(files.logPath)).length > 0)
    await shim.reopenLog()
    await shim.pause()
    expect(await shim.state()).toMatchObject({ state: 'running', paused: true })
    await shim.resume()
    await shim.kill('', SIGTERM)
    expect(await exit).toMatchObject({ code: 9, signal: 0 })
    expect((await output).toString()).toBe('got words\n')
    await shim.shutdown()
    expect(await keeper.launcher.readExitRecord(files.directory)).toMatchObject({ code: 9 })
    expect(keeper.reported).toEqual([])
  })

  test('is found again by a later daemon, which learns of its exits', async () => {
    await using keeper = await openKeeper({ shim: shimPath })
    const { shim, files } = await start(keeper, root, { args: ['sleep', '1000'] })
    await createExec(keeper, shim, 'beside', ['sleep', '1000'])
    await shim.start('beside')
    await shim[Symbol.asyncDispose]()
    const adopted = await adopt(keeper, files.directory)
    expect(await adopted.state()).toMatchObject({ state: 'running', execs: [{ id: 'beside' }] })
    const beside = nextExit(adopted, 'beside')
    const exit = nextExit(adopted)
    await adopted.kill('beside', SIGKILL)
    expect(await beside).toMatchObject({ code: 137, signal: SIGKILL })
    await adopted.kill('', SIGKILL, true)
    expect(await exit).toMatchObject({ code: 137, signal: SIGKILL })
    await adopted.shutdown()
    await waitFor('the shim to end', () => !isAlive(shim.pid))
  })
})

test('the daemon of protocol 1 makes, starts, adopts and ends containers of this shim', async () => {
  await using keeper = await openKeeper()
  const files = aContainer(root, { args: ['sh', '-c', 'echo told; exec sleep 1000'] })
  const first = Protocol1.spawn(keeper.kernel, keeper.executable)
  expect(await first.hello()).toBe(1)
  const plan = keeper.compile(files.config, files.keeper)
  const pid = (await first.request(3, first.text(''), plan)).readInt32LE(0)
  expect(isAlive(pid)).toBe(true)
  expect((await first.request(4, first.text(''))).length).toBe(8)
  await waitFor('the line to be logged', async () => (await readLog(files.logPath)).length > 0)
  first.close()

  const second = Protocol1.connect(keeper.kernel, join(files.directory, 'shim.sock'))
  expect(await second.hello()).toBe(1)
  const kill = Buffer.alloc(5)
  kill.writeUInt32LE(SIGKILL, 0)
  await second.request(5, Buffer.concat([second.text(''), kill]))
  const { serial, payload } = await second.event(0x101)
  expect(payload.subarray(0, 10).toString('hex')).toBe('00008900000009000000')
  second.acknowledge(serial)
  await second.request(14, Buffer.alloc(0))
  await second.ended
  expect(existsSync(join(files.directory, 'exit.json'))).toBe(true)
  await waitFor('the shim to be gone', () => keeper.kernel.reap(first.pid))
})

async function adopt(keeper: Keeper, directory: string) {
  const shim = await keeper.launcher.adopt(directory)
  if (!shim) throw new Error('the shim was not found')
  return shim
}
