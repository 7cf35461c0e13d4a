/** berth-runtime, the command: bundles as any caller of OCI runtimes has them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFile, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BusyboxRoot } from './container.ts'

const execute = promisify(execFile)
const repository = join(import.meta.dirname, '..', '..', '..')
const program = join(repository, 'build/native/berth-runtime')
let root: BusyboxRoot
let bundles = 0

beforeAll(async () => {
  root = await BusyboxRoot.make()
  await execute('make', ['-s', '-C', join(repository, 'runtime'), '../build/native/berth-runtime'])
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

interface Bundle {
  readonly path: string
  readonly id: string
}

/** A bundle that `spec` began, with a script to run. */
async function bundleOf(script: string): Promise<Bundle> {
  const path = join(root.path, `bundle-${bundles++}`)
  await mkdir(path)
  await execute(program, ['spec', '--bundle', path])
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
  config.root = { path: root.rootfs, readonly: false }
  config.process.terminal = false
  config.process.args = ['sh', '-c', script]
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  return { path, id: `t${root.id.slice(0, 12)}-${bundles}` }
}

const states = (): string => join(root.path, 'states')

async function runtime(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>()
  execFile(program, ['--root', states(), ...args], (error, stdout, stderr) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
  })
  return promise
}

/** A container that outlives the command keeps its output open, so this one goes nowhere. */
async function detached(...args: readonly string[]): Promise<number | null> {
  return exit(spawn(program, ['--root', states(), ...args], { stdio: 'ignore' }))
}

function start({ path, id }: Bundle): ChildProcess {
  return spawn(program, ['--root', states(), 'run', '--bundle', path, id], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Until the container itself has said something, it may not exist yet. */
function firstOutput(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()))
  child.once('exit', (code) => reject(new Error(`ended with ${code} before any output`)))
  return promise
}

function exit(child: ChildProcess): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('exit', (code) => resolve(code))
  return promise
}

test('run ends with the container’s exit code, and forgets it', async () => {
  const { path, id } = await bundleOf('hostname; exit 7')
  expect(await runtime('run', '--bundle', path, id)).toMatchObject({ code: 7, stdout: 'berth\n' })
  expect(await readdir(states())).toEqual([])
})

test('a running container is told by state and list, cannot be deleted, and ends by kill', async () => {
  const bundle = await bundleOf('trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done')
  const child = start(bundle)
  await firstOutput(child)
  const { stdout } = await runtime('state', bundle.id)
  expect(JSON.parse(stdout)).toMatchObject({
    ociVersion: '1.3.0',
    id: bundle.id,
    status: 'running',
    bundle: bundle.path,
  })
  expect(JSON.parse((await runtime('list')).stdout)).toHaveLength(1)
  expect(await runtime('delete', bundle.id)).toMatchObject({ code: 1, stderr: expect.stringContaining('is running') })
  expect(await runtime('kill', bundle.id, 'TERM')).toMatchObject({ code: 0 })
  expect(await exit(child)).toBe(3)
})

test('what a killed run leaves is stopped, and delete removes it', async () => {
  const bundle = await bundleOf('echo ready; while :; do sleep 1; done')
  const child = start(bundle)
  await firstOutput(child)
  const ended = exit(child)
  child.kill('SIGKILL')
  await ended
  await expect.poll(async () => JSON.parse((await runtime('state', bundle.id)).stdout).status).toBe('stopped')
  expect(await runtime('delete', bundle.id)).toMatchObject({ code: 0, stderr: '' })
  expect(await runtime('state', bundle.id)).toMatchObject({
    code: 1,
    stderr: `berth-runtime: container '${bundle.id}' does not exist\n`,
  })
})

test('a created container waits until it is started, outlives both commands, and is deleted when it has ended', async () => {
  const { path, id } = await bundleOf(
    'echo started > /tmp/started; while ! test -e /tmp/end; do sleep 0.02; done; rm /tmp/*',
  )
  const status = async (): Promise<string> => JSON.parse((await runtime('state', id)).stdout).status
  expect(await detached('create', '--bundle', path, '--pid-file', join(path, 'pid'), id)).toBe(0)
  expect(await status()).toBe('created')
  expect(Number(await readFile(join(path, 'pid'), 'utf8'))).toBe(JSON.parse((await runtime('state', id)).stdout).pid)
  expect(await readdir(join(root.rootfs, 'tmp'))).toEqual([])

  expect(await runtime('start', id)).toMatchObject({ code: 0, stderr: '' })
  expect(await status()).toBe('running')
  await expect.poll(() => readdir(join(root.rootfs, 'tmp'))).toEqual(['started'])
  expect(await runtime('start', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('is running already') })
  expect(await runtime('delete', id)).toMatchObject({ code: 1 })

  await writeFile(join(root.rootfs, 'tmp/end'), '')
  await expect.poll(status).toBe('stopped')
  expect(await runtime('delete', id)).toMatchObject({ code: 0, stderr: '' })
  expect(await readdir(states())).toEqual([])
})

test('a created container that is never started is deleted with its process and cgroup', async () => {
  const { path, id } = await bundleOf('true')
  await detached('create', '--bundle', path, id)
  expect(await runtime('delete', id)).toMatchObject({ code: 0, stderr: '' })
  expect((await readdir('/sys/fs/cgroup', { recursive: true })).filter((name) => name.includes(id))).toEqual([])
})

test('the terminal of a created container goes to its console socket', async () => {
  const { path, id } = await bundleOf('tty')
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
  config.process.terminal = true
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  expect(await runtime('create', '--bundle', path, id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--console-socket'),
  })

  const received = Promise.withResolvers<string>()
  const server = createServer((socket) => socket.once('data', (chunk) => received.resolve(chunk.toString())))
  const socket = join(path, 'console.sock')
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  expect(await detached('create', '--bundle', path, '--console-socket', socket, id)).toBe(0)
  expect(await received.promise).toBe('console') // with the descriptor, which Node cannot take
  server.close()
  expect(await runtime('kill', '--all', id, 'KILL')).toMatchObject({ code: 0, stderr: '' })
  expect(await runtime('delete', '--force', id)).toMatchObject({ code: 0, stderr: '' })
})

test('a program that cannot be executed fails the start', async () => {
  const { path, id } = await bundleOf('true')
  await writeFile(join(root.rootfs, 'etc/text'), 'x', { mode: 0o755 })
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
  config.process.args = ['/etc/text']
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  await detached('create', '--bundle', path, id)
  expect(await runtime('start', id)).toMatchObject({
    code: 1,
    stderr: 'berth-runtime: exec /etc/text: exec format error\n',
  })
  expect(await runtime('delete', id)).toMatchObject({ code: 0 })
})

test('a creation that fails leaves nothing', async () => {
  const { path, id } = await bundleOf('true')
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
  config.process.args = ['nosuch']
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  expect(await runtime('create', '--bundle', path, id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('not found in $PATH'),
  })
  expect(await readdir(states())).toEqual([])
})

test('a container never holds the file of the command, which it could overwrite', async () => {
  const bundle = await bundleOf('true')
  const copy = join(bundle.path, 'berth-runtime')
  await copyFile(program, copy)
  const create = ['--root', states(), 'create', '--bundle', bundle.path, '--pid-file', join(bundle.path, 'pid')]
  expect(await exit(spawn(copy, [...create, bundle.id], { stdio: 'ignore' }))).toBe(0)
  await using held = await open(`/proc/${await readFile(join(bundle.path, 'pid'), 'utf8')}/exe`)
  expect(await runtime('delete', '--force', bundle.id)).toMatchObject({ code: 0 })
  await expect(writeFile(`/proc/self/fd/${held.fd}`, 'x', { flag: 'r+' })).rejects.toThrow(/EPERM/)
  expect((await readFile(copy)).equals(await readFile(program))).toBe(true)
})

test('nor does it where memory must not be executed', async () => {
  const bundle = await bundleOf('true')
  const script = `
    echo 2 > /proc/sys/vm/memfd_noexec
    "$1" --root "$2" create --bundle "$3" --pid-file "$3/pid" "$4" > /dev/null || exit
    exec 3< /proc/$(cat "$3/pid")/exe
    "$1" --root "$2" delete --force "$4" || exit
    : 3>> /proc/self/fd/3`
  const values = [program, states(), bundle.path, bundle.id]
  const created = execute('unshare', ['--pid', '--fork', '--mount-proc', 'sh', '-c', script, 'sh', ...values])
  await expect(created).rejects.toThrow(/3: Read-only file system/)
})

test('an id that leads elsewhere is refused', async () => {
  const { path } = await bundleOf('true')
  expect(await runtime('run', '--bundle', path, '../x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is not an id'),
  })
})

test('errors also go to the log, as JSON when asked', async () => {
  const log = join(root.path, 'log.json')
  await runtime('--log', log, '--log-format', 'json', 'state', 'nobody')
  expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({
    level: 'error',
    msg: "container 'nobody' does not exist",
  })
})

test('verbs that are not there say so', async () => {
  expect(await runtime('pause', 'x')).toMatchObject({
    code: 1,
    stderr: "berth-runtime: the verb 'pause' is not supported yet\n",
  })
})

test('features name the versions and capabilities', async () => {
  const features = JSON.parse((await runtime('features')).stdout)
  expect(features).toMatchObject({
    ociVersionMax: '1.3.0',
    linux: { cgroup: { v1: true, v2: true }, seccomp: { enabled: true } },
  })
  expect(features.linux.capabilities).toContain('CAP_CHECKPOINT_RESTORE')
})
