/** dockerd and containerd run containers with berth-runtime, and their clients see what they see with runc. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busyboxLayer } from '../../support/base-image.ts'
import { type Dockerd, dockerCli, startDockerd } from '../../support/dockerd.ts'
import { tempDirectory } from '../../support/temp.ts'
import { openTerminal } from '../../support/terminal.ts'

const program = join(import.meta.dirname, '..', '..', '..', 'build/native/berth-runtime')
const stack = new AsyncDisposableStack()
let daemon: Dockerd

interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function docker(...args: readonly string[]): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  execFile(dockerCli(), args, { env: environment() }, (error, stdout, stderr) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
  })
  return promise
}

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, DOCKER_HOST: daemon.host })

async function get(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')} answered ${code}: ${stderr}`)
  return stdout
}

beforeAll(async () => {
  const { path } = stack.use(await tempDirectory('berth-dockerd-'))
  // Without networks it leaves the firewall alone.
  const quiet = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']
  const storage = ['--storage-driver', 'vfs']
  daemon = stack.use(await startDockerd(path, ['--add-runtime', `berth=${program}`, ...quiet, ...storage]))
  await writeFile(join(path, 'image.tar'), busyboxLayer())
  await get('import', join(path, 'image.tar'), 'busybox')
})

afterAll(async () => {
  const left = (await get('ps', '--all', '--quiet')).split('\n').filter((id) => id !== '')
  if (left.length > 0) await get('rm', '--force', ...left)
  await stack.disposeAsync()
})

const run = ['run', '--rm', '--runtime', 'berth', '--network', 'none'] as const

test('output, errors and exit code are those of the command', async () => {
  expect(await docker(...run, 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
    code: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  })
  expect(await docker(...run, 'busybox', 'nosuch')).toMatchObject({
    code: 127,
    stderr: expect.stringContaining('exec: "nosuch": executable file not found in $PATH'),
  })
})

test('a terminal of run and of exec is the container’s', async () => {
  const options = { env: environment(), rows: 31, columns: 97 }
  const script = 'until stty size | grep "31 97"; do sleep 0.02; done; read line; echo "got $line"; exit 4'
  await using terminal = await openTerminal([dockerCli(), ...run, '-it', 'busybox', 'sh', '-c', script], options)
  await terminal.until('31 97')
  terminal.write('word\n')
  await terminal.until('got word')
  expect((await terminal.end()).status).toBe(4)
})

test('a detached container is entered, limited, updated, paused, counted and stopped', async () => {
  const script = 'trap "exit 5" TERM; echo started; while :; do sleep 0.05; done'
  const options = ['--runtime', 'berth', '--network', 'none', '--memory', '64m', '--pids-limit', '33']
  const id = (await get('run', '-d', ...options, 'busybox', 'sh', '-c', script)).trim()
  expect(await get('inspect', '--format', '{{.HostConfig.Runtime}}', id)).toBe('berth\n')
  expect(await docker('exec', id, 'sh', '-c', 'echo in; exit 3')).toMatchObject({ code: 3, stdout: 'in\n' })
  expect(await docker('exec', id, 'nosuch')).toMatchObject({ code: 127 })
  expect(await get('exec', '--user', '7:8', '-w', '/tmp', id, 'sh', '-c', 'id -u; pwd')).toBe('7\n/tmp\n')
  const limitOf = async (v1: string, v2: string): Promise<string> =>
    get('exec', id, 'sh', '-c', `cd /sys/fs/cgroup; cat ${v1} 2>/dev/null || cat ${v2}`)
  expect(await limitOf('pids/pids.max', 'pids.max')).toBe('33\n')
  await get('update', '--pids-limit', '44', '--memory', '96m', '--memory-swap', '96m', id)
  expect(await limitOf('pids/pids.max', 'pids.max')).toBe('44\n')
  expect(await limitOf('memory/memory.limit_in_bytes', 'memory.max')).toBe(`${96 << 20}\n`)
  expect(await get('stats', '--no-stream', '--format', '{{.PIDs}}', id)).toMatch(/^[1-9]\d*\n$/)
  expect(await get('top', id)).toContain('sh -c trap')
  await get('pause', id)
  expect(await get('inspect', '--format', '{{.State.Status}}', id)).toBe('paused\n')
  await get('unpause', id)
  await get('stop', '--time', '60', id)
  expect(await get('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', id)).toBe('exited 5\n')
  expect(await get('logs', id)).toBe('started\n')
  await get('start', id)
  await get('kill', id)
  await get('rm', '--force', id)
})

test('dockerd lists the runtime', async () => {
  expect(await get('info', '--format', '{{json .Runtimes}}')).toContain('berth-runtime')
})
