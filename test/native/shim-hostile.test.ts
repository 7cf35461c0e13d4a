/** What a container may do to its own shim, which serves it and nobody else. */
import { open, readFile, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitFor } from '#test/support/wait-for.ts'
import { aProcess, makeRoot, type TestRoot } from './shim/container.ts'
import { openKeeper } from './shim/keeper.ts'
import { create, createExec, nextExit, start } from './shim/story.ts'

const { SIGKILL } = constants.signals
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
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
