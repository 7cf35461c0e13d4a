/** Which session keyring a container has: keys of the host are in the host's. */
import { execFileSync } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildRuntimeProgram } from '#test/support/native-program.ts'
import { buildInjector } from '../faults/injector.ts'
import { Command } from './command.ts'

const { errno } = constants
let command: Command
let host: string

beforeAll(async () => {
  command = await Command.make()
  const program = await buildRuntimeProgram('session_keyring')
  await copyFile(program, join(command.root.rootfs, 'bin/session_keyring'))
  host = execFileSync(program, { encoding: 'utf8' })
})

afterAll(() => command[Symbol.asyncDispose]())

test('a container and an exec have session keyrings of their own, unless the caller’s is to be kept', async () => {
  const { output, failures } = await command.root.run({
    run: 'session_keyring; while ! test -e /tmp/done; do sleep 0.02; done',
    execs: [{ args: ['session_keyring'] }, { args: ['touch', '/tmp/done'] }],
  })
  expect(failures).toEqual([])
  const own = output.trim().split('\n')
  expect(new Set([...own, host.trim()]).size).toBe(3)

  const bundle = await command.bundle('session_keyring')
  const kept = await command.run('run', '--no-new-keyring', '--bundle', bundle.path, bundle.id)
  expect(kept).toEqual({ code: 0, stdout: host, stderr: '' })
})

/** Runs a container whose first process is answered `code` when it asks for a keyring. */
async function refused(code: number): ReturnType<Command['root']['run']> {
  const around = `exec '${await buildInjector()}' --report '${command.root.path}/faults' --fail 1 keyctl 1 ${code} -- "$@"`
  return await command.root.run({ run: 'session_keyring', around })
}

test('a container that can have none does not run with the host’s', async () => {
  const { output, failures } = await refused(errno.EDQUOT)
  expect({ output, failures }).toEqual({
    output: '',
    failures: [
      { step: 'create', errno: errno.EDQUOT, text: expect.stringMatching(/session keyring.*kernel\.keys\.maxkeys/) },
    ],
  })
  expect(await command.root.cgroups()).toEqual([])
})

test('a kernel without keys has none to protect', async () => {
  const { failures, exitCode } = await refused(errno.ENOSYS)
  expect({ failures, exitCode }).toEqual({ failures: [], exitCode: 0 })
})
