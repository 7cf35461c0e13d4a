/** What callers of berth-runtime hand over besides a bundle: hooks, terminals, descriptors. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTerminal } from '#test/support/terminal.ts'
import { type Bundle, Command, type Config, exitOf, patience, program } from './command.ts'

let command: Command

beforeAll(async () => {
  command = await Command.make()
})

afterAll(async () => {
  await command[Symbol.asyncDispose]()
})

const waiting = 'while :; do sleep 0.05; done'

interface Seen {
  readonly kind: string
  readonly state: { readonly id: string; readonly status: string; readonly pid: number; readonly bundle: string }
}

/** Hooks that note their kind and what they were told. */
async function hooked(
  script: string,
  kinds: readonly string[],
  body = '',
): Promise<Bundle & { seen(): Promise<Seen[]> }> {
  const path = join(command.root.path, `hook-${kinds.join('-')}-${body.length}-${script.length}`)
  await writeFile(path, `#!/bin/sh\necho "$1 $(cat)" >> ${path}.log\n${body}\n`, { mode: 0o755 })
  const bundle = await command.bundle(script, (config: Config) => {
    config.hooks = Object.fromEntries(kinds.map((kind) => [kind, [{ path, args: ['hook', kind] }]]))
  })
  const seen = async (): Promise<Seen[]> => {
    const text = await readFile(`${path}.log`, 'utf8').catch(() => '')
    const lines = text.split('\n').filter((line) => line !== '')
    return lines.map((line) => ({ kind: line.split(' ')[0] ?? '', state: JSON.parse(line.slice(line.indexOf(' '))) }))
  }
  return { ...bundle, seen }
}

test('hooks of a detached container run with the verb that they belong to', async () => {
  const kinds = ['prestart', 'createRuntime', 'poststart', 'poststop']
  const { path, id, seen } = await hooked(waiting, kinds)
  expect(await command.detached('create', '--bundle', path, id)).toBe(0)
  const { pid } = await command.state(id)
  expect(await seen()).toMatchObject([
    { kind: 'prestart', state: { id, pid, bundle: path } },
    { kind: 'createRuntime', state: { id, pid, status: 'creating' } },
  ])
  expect(await command.run('start', id)).toMatchObject({ code: 0 })
  expect((await seen())[2]).toMatchObject({ kind: 'poststart', state: { id, pid, status: 'running' } })
  expect(await command.run('delete', '--force', id)).toMatchObject({ code: 0 })
  expect((await seen())[3]).toMatchObject({ kind: 'poststop', state: { id, status: 'stopped' } })
  expect(await seen()).toHaveLength(4)
})

test('hooks of run run once each', async () => {
  const kinds = ['createRuntime', 'poststart', 'poststop']
  const bundle = await hooked('exit 3', kinds)
  expect(await exitOf(command.start(bundle))).toBe(3)
  expect((await bundle.seen()).map(({ kind }) => kind)).toEqual(kinds)
})

test('a failing poststart hook ends the container and fails the start', async () => {
  const { path, id } = await hooked(waiting, ['poststart'], 'echo broken >&2; exit 1')
  expect(await command.detached('create', '--bundle', path, id)).toBe(0)
  expect(await command.run('start', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('broken') })
  await expect.poll(() => command.status(id), patience).toBe('stopped')
  expect(await command.run('delete', id)).toMatchObject({ code: 0 })
})

test('a failing poststop hook is a warning: the container is gone', async () => {
  const { path, id } = await hooked(waiting, ['poststop'], 'echo broken >&2; exit 1')
  expect(await command.detached('run', '--detach', '--bundle', path, id)).toBe(0)
  expect(await command.run('delete', '--force', id)).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/level=warning msg=".*broken/),
  })
  expect(await command.containers()).not.toContain(id)
})

test('a failing createRuntime hook fails the creation, which leaves nothing', async () => {
  const { path, id } = await hooked(waiting, ['createRuntime'], 'echo broken >&2; exit 1')
  expect(await command.run('create', '--bundle', path, id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('broken'),
  })
  expect(await command.containers()).not.toContain(id)
})

test('run joins its own terminal to the container’s, raw, with size and exit code', async () => {
  const { path, id } = await command.bundle('stty size; read line; echo "got $line"; exit 4', (config) => {
    config.process.terminal = true
  })
  const argv = [program, '--root', command.states, 'run', '--bundle', path, id]
  await using terminal = await openTerminal(argv, { env: process.env, rows: 31, columns: 97 })
  await terminal.until('31 97')
  terminal.write('word\n')
  await terminal.until('got word')
  expect((await terminal.end()).status).toBe(4)
})

test('exec --tty has a terminal of its own, and control characters reach its processes', async () => {
  const { id } = await command.started(waiting)
  const argv = [
    program,
    '--root',
    command.states,
    'exec',
    '--tty',
    id,
    'sh',
    '-c',
    'trap "exit 6" INT; tty; while :; do sleep 0.05; done',
  ]
  await using terminal = await openTerminal(argv, { env: process.env, rows: 24, columns: 80 })
  await terminal.until('/dev/pts/')
  terminal.write('\x03')
  expect((await terminal.end()).status).toBe(6)
})

test('run passes signals on', async () => {
  const bundle = await command.bundle(`trap "exit 9" USR1; echo ready; ${waiting}`)
  const child = command.start(bundle)
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  child.kill('SIGUSR1')
  expect(await exitOf(child)).toBe(9)
})

test('descriptors of socket activation and of --preserve-fds reach the container, and no others', async () => {
  const { path, id } = await command.bundle(
    'echo "$LISTEN_FDS $LISTEN_PID" >&3; echo four >&4; ls /proc/self/fd | tr "\\n" " "',
  )
  const pipes = ['ignore', 'pipe', 'inherit', 'pipe', 'pipe', 'pipe'] as const
  const child = command.spawnWith({ LISTEN_FDS: '1' }, [...pipes], 'run', '--preserve-fds', '1', '--bundle', path, id)
  const got = ['', '', '', '', '']
  for (const index of [1, 3, 4])
    child.stdio[index]?.on('data', (chunk: Buffer) => {
      got[index] += chunk.toString()
    })
  expect(await exitOf(child)).toBe(0)
  await expect.poll(() => got, patience).toEqual(['', '0 1 2 3 4 5 ', '', '1 1\n', 'four\n']) // 5 is ls reading the directory
})
