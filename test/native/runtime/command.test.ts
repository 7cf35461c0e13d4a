/** berth-runtime, the command: the life of a container as any caller of OCI runtimes leads it. */
import { execFile, spawn } from 'node:child_process'
import { copyFile, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasKernelFeature } from '#test/support/kernel.ts'
import { Command, exitOf, firstOutput, groupsOf, patience, program } from './command.ts'

const execute = promisify(execFile)
let command: Command

beforeAll(async () => {
  command = await Command.make()
})

afterAll(async () => {
  await command[Symbol.asyncDispose]()
})

test('run ends with the container’s exit code, and forgets it', async () => {
  const { path, id } = await command.bundle('hostname; exit 7')
  expect(await command.run('run', '--bundle', path, id)).toMatchObject({
    code: 7,
    stdout: 'berth\n',
  })
  expect(await command.containers()).not.toContain(id)
})

test('a running container is told by state and list, cannot be deleted, and ends by kill', async () => {
  const bundle = await command.bundle('trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done')
  const child = command.start(bundle)
  await firstOutput(child)
  const { stdout } = await command.run('state', bundle.id)
  expect(JSON.parse(stdout)).toMatchObject({
    ociVersion: '1.3.0',
    id: bundle.id,
    status: 'running',
    bundle: bundle.path,
  })
  const listed = JSON.parse((await command.run('list', '--format', 'json')).stdout)
  expect(listed).toMatchObject([
    {
      id: bundle.id,
      status: 'running',
      owner: 'root',
      rootfs: command.root.rootfs,
    },
  ])
  expect((await command.run('list', '-q')).stdout).toBe(`${bundle.id}\n`)
  const table = (await command.run('list')).stdout.split('\n').map((line) => line.split(/\s+/))
  expect(table[0]).toEqual(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'])
  expect(table[1]?.slice(0, 4)).toEqual([bundle.id, String(listed[0].pid), 'running', bundle.path])
  expect(await command.run('delete', bundle.id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`cannot delete container '${bundle.id}' that is not stopped: running`),
  })
  expect(await command.run('kill', bundle.id, 'TERM')).toMatchObject({
    code: 0,
  })
  expect(await exitOf(child)).toBe(3)
})

test('what a killed run leaves is stopped, and delete removes it', async () => {
  const bundle = await command.bundle('echo ready; while :; do sleep 1; done')
  const child = command.start(bundle)
  await firstOutput(child)
  const ended = exitOf(child)
  child.kill('SIGKILL')
  await ended
  await expect
    .poll(async () => JSON.parse((await command.run('state', bundle.id)).stdout).status, patience)
    .toBe('stopped')
  expect(await command.run('delete', bundle.id)).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect(await command.run('state', bundle.id)).toMatchObject({
    code: 1,
    stderr: `berth-runtime: container does not exist: '${bundle.id}'\n`,
  })
})

test('a created container waits until it is started, outlives both commands, and is deleted when it has ended', async () => {
  const { path, id } = await command.bundle(
    'echo started > /tmp/started; while ! test -e /tmp/end; do sleep 0.02; done; rm /tmp/*',
  )
  const status = async (): Promise<string> => JSON.parse((await command.run('state', id)).stdout).status
  expect(await command.detached('create', '--bundle', path, '--pid-file', join(path, 'pid'), id)).toBe(0)
  expect(await status()).toBe('created')
  expect(Number(await readFile(join(path, 'pid'), 'utf8'))).toBe(
    JSON.parse((await command.run('state', id)).stdout).pid,
  )
  expect(await readdir(join(command.root.rootfs, 'tmp'))).toEqual([])

  expect(await command.run('start', id)).toMatchObject({ code: 0, stderr: '' })
  expect(await status()).toBe('running')
  await expect.poll(() => readdir(join(command.root.rootfs, 'tmp')), patience).toEqual(['started'])
  expect(await command.run('start', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot start an already running container'),
  })
  expect(await command.run('delete', id)).toMatchObject({ code: 1 })

  await writeFile(join(command.root.rootfs, 'tmp/end'), '')
  await expect.poll(status, patience).toBe('stopped')
  expect(await command.run('delete', id)).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect(await command.containers()).not.toContain(id)
})

test('a created container that is never started is deleted with its process and cgroup', async () => {
  const { path, id } = await command.bundle('true')
  await command.detached('create', '--bundle', path, id)
  expect(await command.run('delete', id)).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect(await groupsOf(id)).toEqual([])
})

test('the terminal of a created container goes to its console socket', async () => {
  const { path, id } = await command.bundle('tty')
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
  config.process.terminal = true
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  expect(await command.run('create', '--bundle', path, id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--console-socket'),
  })

  const received = Promise.withResolvers<string>()
  const server = createServer((socket) => socket.once('data', (chunk) => received.resolve(chunk.toString())))
  const socket = join(path, 'console.sock')
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  expect(await command.detached('create', '--bundle', path, '--console-socket', socket, id)).toBe(0)
  expect(await received.promise).toBe('/dev/ptmx') // with the descriptor, which Node cannot take
  server.close()
  expect(await command.run('kill', '--all', id, 'KILL')).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect(await command.run('delete', '--force', id)).toMatchObject({
    code: 0,
    stderr: '',
  })
})

test('a program that cannot be executed fails the start', async () => {
  const { path, id } = await command.bundle('true')
  await writeFile(join(command.root.rootfs, 'etc/text'), 'x', { mode: 0o755 })
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
  config.process.args = ['/etc/text']
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  await command.detached('create', '--bundle', path, id)
  expect(await command.run('start', id)).toMatchObject({
    code: 1,
    stderr: 'berth-runtime: exec /etc/text: exec format error\n',
  })
  expect(await command.run('delete', id)).toMatchObject({ code: 0 })
})

test('a creation that fails leaves nothing', async () => {
  const { path, id } = await command.bundle('true')
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
  config.process.args = ['nosuch']
  await writeFile(join(path, 'config.json'), JSON.stringify(config))
  expect(await command.run('create', '--bundle', path, id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('not found in $PATH'),
  })
  expect(await command.containers()).not.toContain(id)
})

test('a creation that fails leaves no group, nor the parents that were made for it', async () => {
  const top = `parents-${process.pid}`
  const { path, id } = await command.bundle('true', (config) => {
    config.process.args = ['nosuch']
    config.linux.cgroupsPath = `/berth-runtime.${top}/below/group`
  })
  expect((await command.run('create', '--bundle', path, id)).code).toBe(1)
  expect(await groupsOf(top)).toEqual([])
})

test('a container never holds the file of the command, which it could overwrite', async () => {
  const bundle = await command.bundle('true')
  const copy = join(bundle.path, 'berth-runtime')
  await copyFile(program, copy)
  const create = ['--root', command.states, 'create', '--bundle', bundle.path, '--pid-file', join(bundle.path, 'pid')]
  expect(await exitOf(spawn(copy, [...create, bundle.id], { stdio: 'ignore' }))).toBe(0)
  await using held = await open(`/proc/${await readFile(join(bundle.path, 'pid'), 'utf8')}/exe`)
  expect(await command.run('delete', '--force', bundle.id)).toMatchObject({
    code: 0,
  })
  await expect(writeFile(`/proc/self/fd/${held.fd}`, 'x', { flag: 'r+' })).rejects.toThrow(/EPERM/)
  expect((await readFile(copy)).equals(await readFile(program))).toBe(true)
})

test.runIf(hasKernelFeature('memfdNoexec'))('nor does it where memory must not be executed', async () => {
  const bundle = await command.bundle('true')
  const script = `
    echo 2 > /proc/sys/vm/memfd_noexec
    "$1" --root "$2" create --bundle "$3" --pid-file "$3/pid" "$4" > /dev/null || exit
    exec 3< /proc/$(cat "$3/pid")/exe
    "$1" --root "$2" delete --force "$4" || exit
    : 3>> /proc/self/fd/3`
  const values = [program, command.states, bundle.path, bundle.id]
  const created = execute('unshare', ['--pid', '--fork', '--mount-proc', 'sh', '-c', script, 'sh', ...values])
  await expect(created).rejects.toThrow(/3: Read-only file system/)
})

test('an id that leads elsewhere is refused', async () => {
  const { path } = await command.bundle('true')
  expect(await command.run('run', '--bundle', path, '../x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('invalid container ID format'),
  })
})

test('errors also go to the log, as JSON when asked', async () => {
  const log = join(command.root.path, 'log.json')
  await command.run('--log', log, '--log-format', 'json', 'state', 'nobody')
  expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({
    level: 'error',
    msg: "container does not exist: 'nobody'",
  })
})

test('the state tells rootfs, annotations and the time of creation to the nanosecond', async () => {
  const { id } = await command.created('true', (config) => {
    config.annotations = { 'org.example.a': 'b' }
  })
  expect(await command.state(id)).toMatchObject({
    rootfs: command.root.rootfs,
    annotations: { 'org.example.a': 'b' },
    created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
  })
})

test('features name the versions and capabilities', async () => {
  const features = JSON.parse((await command.run('features')).stdout)
  expect(features).toMatchObject({
    ociVersionMax: '1.3.0',
    linux: { cgroup: { v1: true, v2: true }, seccomp: { enabled: true } },
  })
  expect(features.linux.capabilities).toContain('CAP_CHECKPOINT_RESTORE')
  expect(features.hooks).toContain('createContainer')
  const { seccomp, memoryPolicy } = features.linux
  expect(seccomp.actions).toEqual(expect.arrayContaining(['SCMP_ACT_NOTIFY', 'SCMP_ACT_KILL_PROCESS']))
  expect(seccomp.archs).toContain('SCMP_ARCH_RISCV64')
  expect(seccomp.supportedFlags).toContain('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV')
  expect(memoryPolicy).toMatchObject({ modes: expect.arrayContaining(['MPOL_BIND']), flags: expect.any(Array) })
})
