/** berth-runtime exec: further processes of a container. */
import { execFile } from 'node:child_process'
import { readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeLease } from '#test/support/lease.ts'
import { type Bundle, Command, exitOf, patience, program } from './command.ts'

const execute = promisify(execFile)
let command: Command
let container: Bundle

const waiting = 'while :; do sleep 0.05; done'
const profile = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 31 }],
}

beforeAll(async () => {
  command = await Command.make()
  container = await command.started(waiting, (config) => {
    config.process.env = [...config.process.env, 'FROM=config']
    config.linux.seccomp = profile
    config.linux.personality = { domain: 'LINUX32' }
    config.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '0' }
  })
})

afterAll(async () => {
  await command[Symbol.asyncDispose]()
})

test('exec answers with output, input and exit code of the process', async () => {
  const answer = await command.runWith(
    { input: 'hello\n' },
    'exec',
    container.id,
    'sh',
    '-c',
    'cat; echo err >&2; exit 9',
  )
  expect(answer).toEqual({ code: 9, stdout: 'hello\n', stderr: 'err\n' })
})

test('a process that is killed by a signal gives 128 and its number', async () => {
  expect((await command.run('exec', container.id, 'sh', '-c', 'kill -TERM $$')).code).toBe(128 + 15)
})

test('it is in the namespaces, the root and the group of the container, with its environment and filter', async () => {
  const script =
    'hostname; echo $FROM; pwd; ls -d /bin/busybox; mkdir /tmp/x; grep Seccomp: /proc/self/status; cat /proc/self/cgroup'
  const { stdout, stderr } = await command.run('exec', container.id, 'sh', '-c', script)
  expect(stdout.split('\n').slice(0, 5)).toEqual(['berth', 'config', '/', '/bin/busybox', 'Seccomp:\t2'])
  expect(stderr).toContain('Too many links')
  const { pid } = await command.state(container.id)
  const first = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n')
  expect(first.join()).toContain(`berth-runtime.${container.id}`)
  expect(stdout).not.toContain(`berth-runtime.${container.id}`) // its cgroup namespace begins there
})

test('it has the personality and the memory policy of the container', async () => {
  const { stdout } = await command.run('exec', container.id, 'sh', '-c', 'uname -m; head -n 1 /proc/self/numa_maps')
  expect(stdout).toMatch(/^(i686|armv8l)\n.* bind:0 /)
})

test('options change user, groups, directory, environment and privileges', async () => {
  const options = [
    '--user',
    '7:8',
    '-g',
    '9',
    '--additional-gids=10',
    '--cwd=/tmp',
    '-e',
    'A=1',
    '--env',
    'B=2',
    '--no-new-privs',
  ]
  const script = 'id -u; id -g; id -G; pwd; echo $A$B$FROM; grep NoNewPrivs /proc/self/status'
  const { stdout } = await command.run('exec', ...options, container.id, 'sh', '-c', script)
  expect(stdout).toBe('7\n8\n8 9 10\n/tmp\n12config\nNoNewPrivs:\t1\n')
})

test('--cap adds a capability, and never to the inheritable set', async () => {
  const sets = async (...options: string[]): Promise<Record<string, bigint>> => {
    const { stdout } = await command.run('exec', ...options, container.id, 'cat', '/proc/self/status')
    const lines = stdout.matchAll(/^Cap(\w+):\s+([0-9a-f]+)$/gm)
    return Object.fromEntries([...lines].map(([, name = '', value]) => [name, BigInt(`0x${value}`)]))
  }
  const before = await sets()
  const after = await sets('--cap', 'CAP_NET_RAW', '-c', 'chown')
  const added = (1n << 13n) | 1n
  expect(after).toEqual({
    ...before,
    Eff: (before.Eff ?? 0n) | added,
    Prm: (before.Prm ?? 0n) | added,
    Bnd: (before.Bnd ?? 0n) | added,
  })
  expect(after.Inh).toBe(0n)
})

test('words behind the id are the program’s, whatever they look like', async () => {
  expect((await command.run('exec', container.id, 'echo', '--tty', '-e', '--help')).stdout).toBe('--tty -e --help\n')
})

test('--process takes a whole process object', async () => {
  const file = join(container.path, 'process.json')
  await writeFile(
    file,
    JSON.stringify({
      user: { uid: 3, gid: 4 },
      cwd: '/bin',
      env: ['PATH=/bin', 'X=y'],
      args: ['sh', '-c', 'id -u; pwd; echo $X$FROM'],
    }),
  )
  expect(await command.run('exec', '--process', file, container.id)).toEqual({
    code: 0,
    stdout: '3\n/bin\ny\n',
    stderr: '',
  })
})

test('--detach leaves the process running, with its pid in the pid file', async () => {
  const pidFile = join(container.path, 'exec.pid')
  expect(
    await command.detached(
      'exec',
      '-d',
      '--pid-file',
      pidFile,
      container.id,
      'sh',
      '-c',
      'while :; do sleep 0.05; done',
    ),
  ).toBe(0)
  const pid = Number(await readFile(pidFile, 'utf8'))
  const { pid: first } = await command.state(container.id)
  expect((await stat(`/proc/${pid}/ns/pid`)).ino).toBe((await stat(`/proc/${first}/ns/pid`)).ino)
  expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain('while')
  process.kill(pid, 'SIGKILL')
})

test('--preserve-fds hands descriptors on, and no others', async () => {
  const child = command.spawn(
    ['ignore', 'pipe', 'inherit', 'pipe', 'pipe'],
    ...['exec', '--preserve-fds', '1', container.id, 'sh', '-c', 'echo three >&3; ls /proc/self/fd'],
  )
  const third = child.stdio[3]
  let got = ''
  let listed = ''
  third?.on('data', (chunk: Buffer) => {
    got += chunk.toString()
  })
  child.stdout?.on('data', (chunk: Buffer) => {
    listed += chunk.toString()
  })
  expect(await exitOf(child)).toBe(0)
  await expect.poll(() => got, patience).toBe('three\n')
  await expect.poll(() => listed, patience).toBe('0\n1\n2\n3\n4\n') // 4 is ls reading the directory
})

test('descriptors that are not there cannot be preserved', async () => {
  expect(await command.run('exec', '--preserve-fds', '40', container.id, 'true')).toMatchObject({
    code: 255,
    stderr: expect.stringMatching(/^berth-runtime: preserved descriptor \d+ of 3 to 42 is not open\n$/),
  })
  expect(await command.run('exec', '--preserve-fds', '1001', container.id, 'true')).toMatchObject({
    code: 255,
    stderr: 'berth-runtime: 1001 preserved descriptors are not between 0 and 1000\n',
  })
})

test.each([
  [['exec', 'nobody', 'true'], "container does not exist: 'nobody'"],
  [['exec', 'ID'], 'exec: no program is given'],
  [['exec', 'ID', 'nosuch'], 'exec: "nosuch": executable file not found in $PATH'],
  [['exec', 'ID', '/bin'], 'exec: "/bin": is a directory'],
  [['exec', '--user', 'root', 'ID', 'true'], "exec: --user 'root' is not of the form UID[:GID]"],
  [['exec', '--user', '4294967295', 'ID', 'true'], "exec: --user '4294967295' is not of the form UID[:GID]"],
  [['exec', '--cwd', 'tmp', 'ID', 'true'], "cwd: 'tmp' is not an absolute path"],
  [['exec', '--cap', 'CAP_NOSUCH', 'ID', 'true'], "capabilities.bounding[3]: unknown capability 'CAP_NOSUCH'"],
  [['exec', '--cgroup', 'cpu:/x', 'ID', 'true'], "exec: --cgroup 'cpu:/x': a path for one controller is not supported"],
  [
    ['exec', '--detach', '--tty', 'ID', 'true'],
    'exec: a terminal needs a console socket (--console-socket) when the process is detached',
  ],
  [
    ['exec', '--console-socket', '/x', 'ID', 'true'],
    "exec: --console-socket needs a terminal (--tty, or the process's)",
  ],
])('%s fails with 255 and a sentence', async (words, sentence) => {
  const answer = await command.run(...words.map((word) => (word === 'ID' ? container.id : word)))
  expect(answer).toEqual({ code: 255, stdout: '', stderr: `berth-runtime: ${sentence}\n` })
})

test('exec into a created container works, and into one that has ended is refused', async () => {
  const { id } = await command.created(waiting)
  expect((await command.run('exec', id, 'echo', 'early')).stdout).toBe('early\n')
  await command.run('kill', id, 'KILL')
  await expect.poll(() => command.status(id), patience).toBe('stopped')
  expect(await command.run('exec', id, 'true')).toMatchObject({
    code: 255,
    stderr: `berth-runtime: cannot exec in a stopped container: '${id}'\n`,
  })
})

test('HOME is what the image says of the user, unless the caller says it; a hostile passwd is data', async () => {
  const passwd = join(command.root.rootfs, 'etc/passwd')
  const home = async (...options: readonly string[]): Promise<string> =>
    (await command.run('exec', ...options, container.id, 'sh', '-c', 'echo $HOME')).stdout
  await writeFile(
    passwd,
    'broken\n:::::\nx:x:-1:0::/minus:\nroot:x:0:0::/root:/bin/sh\nseven:x:7:7::/home/seven:/bin/sh\n',
  )
  expect(await home()).toBe('/root\n')
  expect(await home('--user', '7')).toBe('/home/seven\n')
  expect(await home('--user', '8')).toBe('/\n')
  expect(await home('--env', 'HOME=/mine')).toBe('/mine\n')
  const { path, id } = await command.bundle('echo $HOME')
  expect((await command.run('run', '--bundle', path, id)).stdout).toBe('/root\n')
  await rm(passwd)
  await symlink('/proc/self/environ', passwd)
  expect(await home()).toBe('/\n')
  await rm(passwd)
})

test('a device in the place of passwd is not opened, since some act on that', async () => {
  const passwd = join(command.root.rootfs, 'etc/passwd')
  const trace = join(command.root.path, 'trace')
  await execute('mknod', [passwd, 'c', '1', '3'])
  const { path, id } = await command.bundle('echo $HOME')
  const traced = ['-o', trace, '-e', 'trace=open,openat,openat2', program, '--root', command.states]
  const { stdout } = await execute('strace', [...traced, 'run', '--bundle', path, id])
  await rm(passwd)
  expect(stdout).toBe('/\n')
  const calls = (await readFile(trace, 'utf8')).split('\n')
  const looked = calls.findIndex((line) => line.includes('"etc/passwd"'))
  expect(calls[looked]).toMatch(/flags=\w+(\|\w+)*\|O_PATH/)
  // Nor by way of what was looked at.
  const descriptor = / = (\d+)$/.exec(calls[looked] ?? '')?.[1]
  expect(calls[looked + 1]).not.toContain(`/proc/self/fd/${descriptor}"`)
})

test('a lease that a container holds on passwd keeps no exec waiting', async () => {
  const passwd = join(command.root.rootfs, 'etc/passwd')
  await writeFile(passwd, 'root:x:0:0::/root:/bin/sh\n')
  await using _lease = await takeLease(passwd)
  const { path, id } = await command.bundle('echo $HOME')
  expect(await command.run('run', '--bundle', path, id)).toEqual({ code: 0, stdout: '/\n', stderr: '' })
  await rm(passwd)
})
