/** Containers of other OCI runtimes, which the shim drives by their command line. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RuntimeSpec } from '#oci/runtime-spec.ts'
import { type RuntimeCall, writeBundle, writeExec } from '#shim/bundle.ts'
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
import { isAlive, type Keeper, openKeeper } from './shim/keeper.ts'
import { cgroupsOf, nextExit, readAll, readUntil } from './shim/story.ts'

const { SIGKILL, SIGTERM } = constants.signals
const runc = ['runc', '/usr/sbin/runc'] as const
const own = ['berth-runtime', join(import.meta.dirname, '../../build/native/berth-runtime')] as const
let root: TestRoot

beforeAll(async () => {
  root = await makeRoot()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

describe.each([runc, own])('%s', (_, path) => {
  test('makes a container whose output, execs, pauses, end and record are the shim’s', async () => {
    await using keeper = await openKeeper()
    const args = ['sh', '-c', 'trap "exit 7" TERM; echo out; echo err >&2; while :; do usleep 10000; done']
    const { shim, files, runtime, pid } = await create(keeper, path, { args })
    const stream = await shim.attach('', { stdin: false, stdout: true, stderr: false, framed: false })
    const exit = nextExit(shim)
    await shim.start('')
    await readUntil(stream, 'out\n')
    expect(await shim.state()).toMatchObject({ state: 'running', pid })
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(runtime.bundle)

    const first = { id: 'first', process: aProcess(['sh', '-c', 'cat; exit 5']), input: 'in and out' }
    expect(await exec(keeper, { shim, runtime }, first)).toEqual({ output: 'in and out', code: 5 })
    const second = { id: 'second', process: aProcess(['sh', '-c', 'test -t 0 && test -t 1 && echo seen'], true) }
    expect(await exec(keeper, { shim, runtime }, second)).toEqual({ output: 'seen\r\n', code: 0 })

    await shim.pause()
    expect(await shim.state()).toMatchObject({ paused: true })
    await shim.resume()
    await shim.kill('', SIGTERM)
    expect(await exit).toMatchObject({ code: 7, signal: 0 })
    stream.destroy()
    expect((await readLog(files.logPath)).map(({ log }) => log).sort()).toEqual(['err\n', 'out\n'])
    await shim.shutdown()
    expect(await keeper.launcher.readExitRecord(files.directory)).toMatchObject({ code: 7, pid })
    expect(await left(files, runtime)).toEqual([])
    expect(keeper.reported).toEqual([])
  })

  test('works on the shim’s layers and in its network namespace, which the host does not see', async () => {
    await using keeper = await openKeeper()
    const script = 'echo new > /tmp/file; cat /proc/net/dev; cat /proc/self/mountinfo'
    const { files, runtime, document } = await prepare(path, { args: ['sh', '-c', script] })
    const [merged, upper, work] = ['merged', 'upper', 'work'].map((name) => join(runtime.bundle, name)) as [
      string,
      string,
      string,
    ]
    for (const directory of [merged, upper, work]) await mkdir(directory)
    const config = { ...files.config, root: { path: merged } } as RuntimeSpec
    await writeBundle(runtime.bundle, config)
    const rootfs = { kind: 'overlay', path: merged, lower: [root.rootfs], upper, work }
    const shim = await keeper.launcher.launch()
    await keeper.create(shim, '', config, { ...document, rootfs })
    const exit = nextExit(shim)
    expect(await readdir(merged)).toEqual([])
    await shim.start('')
    expect(await exit).toMatchObject({ code: 0 })
    await shim.shutdown()
    expect(await readFile(join(upper, 'tmp/file'), 'utf8')).toBe('new\n')
    const output = (await readLog(files.logPath)).map(({ log }) => log).join('')
    expect(output.match(/^ *\w+:/gm)).toEqual([expect.stringContaining('lo:')])
    expect(output).toMatch(/ \/ \/ .* - overlay /)
  })

  test('gives the shim the terminal of its container', async () => {
    await using keeper = await openKeeper()
    const options = { args: ['sh', '-c', 'read line; stty size; echo "got $line"'], terminal: true }
    const { shim, files, runtime } = await create(keeper, path, { ...options, stdin: { open: true, once: true } })
    const stream = await shim.attach('', { stdin: true, stdout: true, stderr: true, framed: false })
    const exit = nextExit(shim)
    await shim.start('')
    await shim.resize('', 33, 44)
    stream.write('hello\n')
    const output = (await readAll(stream)).toString()
    expect(output).toContain('33 44')
    expect(output).toContain('got hello')
    expect(await exit).toMatchObject({ code: 0 })
    await shim.shutdown()
    expect(await left(files, runtime)).toEqual([])
  })

  test('fails in its own words, and the shim is empty again', async () => {
    await using keeper = await openKeeper()
    const shim = await keeper.launcher.launch()
    const { files, runtime, document } = await prepare(path, { args: ['no-such-program'] })
    const run = async (): Promise<void> => {
      await keeper.create(shim, '', files.config, document)
      await shim.start('')
    }
    await expect(run()).rejects.toThrow(new RegExp(`^runtime '${path}': .*no-such-program`))
    expect(await shim.state()).toMatchObject({ state: 'empty' })
    expect(await left(files, runtime)).toEqual([])
    await shim.shutdown()
  })

  test('outlives the daemon that asked for it', async () => {
    await using keeper = await openKeeper()
    const { shim, files, runtime } = await create(keeper, path, { args: ['sleep', '1000'] })
    await shim.start('')
    await shim[Symbol.asyncDispose]()
    const next = await keeper.launcher.adopt(files.directory)
    if (!next) throw new Error('the shim was not found')
    const exit = nextExit(next)
    await next.kill('', SIGKILL)
    expect(await exit).toMatchObject({ code: 137, signal: SIGKILL })
    await next.shutdown()
    await waitFor('the shim to end', () => !isAlive(shim.pid))
    expect(await left(files, runtime)).toEqual([])
  })
})

test('an exec that nobody starts ends with the connection that made it', async () => {
  await using keeper = await openKeeper()
  const { shim, runtime, files } = await create(keeper, runc[1], { args: ['sleep', '1000'] })
  await shim.start('')
  const killed = nextExit(shim, 'killed')
  await writeExec(runtime.bundle, 'killed', aProcess(['true']))
  await keeper.create(shim, 'killed', aProcess(['true']), undefined)
  await shim.kill('killed', SIGKILL)
  expect(await killed).toMatchObject({ code: 137 })
  await keeper.create(shim, 'waiting', aProcess(['true']), undefined)
  await shim[Symbol.asyncDispose]()
  const next = await keeper.launcher.adopt(files.directory)
  if (!next) throw new Error('the shim was not found')
  expect((await next.state()).execs).toEqual([])
  const exit = nextExit(next)
  await next.kill('', SIGKILL, true)
  await exit
  await next.shutdown()
})

test('a runtime that is missing, fails without a word or says nothing that can be read is named', async () => {
  await using keeper = await openKeeper()
  const silent = join(root.directory, 'silent')
  await writeFile(silent, '#!/bin/sh\necho garbage > /dev/stderr\nexit 3\n', { mode: 0o755 })
  const pidless = join(root.directory, 'pidless')
  await writeFile(pidless, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  const stranger = join(root.directory, 'stranger')
  await writeFile(stranger, '#!/bin/sh\nwhile [ "$1" != --pid-file ]; do shift; done\necho 1 > "$2"\n', { mode: 0o755 })
  for (const [path, words] of [
    ['/nowhere/runc', "runtime '/nowhere/runc': No such file or directory"],
    [silent, `runtime '${silent}': create ended with code 3`],
    [pidless, 'read what process the runtime made: no such file or directory'],
    [stranger, 'process 1 that the runtime made is not a child of its shim'],
  ] as const) {
    const shim = await keeper.launcher.launch()
    const { files, document } = await prepare(path, { args: ['true'] })
    await expect(keeper.create(shim, '', files.config, document)).rejects.toThrow(words)
    expect(await shim.state()).toMatchObject({ state: 'empty' })
    await shim.shutdown()
  }
})

test('an exec whose runtime sends no terminal ends with its refusal', async () => {
  await using keeper = await openKeeper()
  const path = join(root.directory, 'terminalless')
  const made = join(root.directory, 'made')
  const words = 'while [ "$1" != --pid-file ]; do shift; done; sleep 1000 & echo $! > "$2"; echo $! > '
  const script = `#!/bin/sh\ncase "$*" in *" exec "*) ${words}${made};; *) exec ${runc[1]} "$@";; esac\n`
  await writeFile(path, script, { mode: 0o755 })
  const { shim, runtime } = await create(keeper, path, { args: ['sleep', '1000'] })
  await shim.start('')
  await writeExec(runtime.bundle, 'one', aProcess(['true'], true))
  await keeper.create(shim, 'one', aProcess(['true'], true), undefined)
  await expect(shim.start('one')).rejects.toThrow('the runtime sent no terminal')
  const pid = Number(await readFile(made, 'utf8'))
  await waitFor('the process to end', () => !isAlive(pid))
  const exit = nextExit(shim)
  await shim.kill('', SIGKILL)
  await exit
  await shim.shutdown()
})

interface Prepared {
  readonly files: ContainerFiles
  readonly runtime: RuntimeCall
  readonly document: object
}

async function prepare(path: string, options: ContainerOptions): Promise<Prepared> {
  const files = aContainer(root, options)
  const bundle = join(root.directory, `bundle-${files.id}`)
  const runtime = { path, options: [], root: `${bundle}-state`, bundle }
  await mkdir(bundle, { mode: 0o700 })
  await mkdir(runtime.root, { mode: 0o700 })
  await writeBundle(bundle, files.config as RuntimeSpec)
  return { files, runtime, document: { ...files.keeper, runtime } }
}

async function create(keeper: Keeper, path: string, options: ContainerOptions) {
  const shim = await keeper.launcher.launch()
  const { files, runtime, document } = await prepare(path, options)
  const { pid } = await keeper.create(shim, '', files.config, document)
  return { shim, files, runtime, pid }
}

interface ExecOptions {
  readonly id: string
  readonly process: object
  readonly input?: string
}

async function exec(keeper: Keeper, { shim, runtime }: { shim: Shim; runtime: RuntimeCall }, options: ExecOptions) {
  const { id, process, input } = options
  const done = nextExit(shim, id)
  await writeExec(runtime.bundle, id, process)
  await keeper.create(shim, id, process, undefined)
  const stream = await shim.attach(id, { stdin: input !== undefined, stdout: true, stderr: true, framed: false })
  await shim.start(id)
  if (input !== undefined) stream.end(input)
  const output = (await readAll(stream)).toString()
  return { output, code: (await done).code }
}

/** What is there of the container beyond the record of its end. */
async function left({ id, directory }: ContainerFiles, { root: states, bundle }: RuntimeCall): Promise<string[]> {
  const own = (await readdir(directory)).filter((name) => name !== 'lock' && name !== 'exit.json')
  const bundled = (await readdir(bundle)).filter((name) => name !== 'config.json' && name !== 'netns')
  return [...(await cgroupsOf(id)), ...(await readdir(states)), ...own, ...bundled]
}
