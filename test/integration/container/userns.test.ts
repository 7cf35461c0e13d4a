import { appendFile, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')
const first = 231_072
const size = 65_536

/** A daemon that sees a user of ours, with subordinate ids, in /etc. */
async function startRemapped(stack: AsyncDisposableStack): Promise<TestDaemon> {
  const etc = await mkdtemp(join(tmpdir(), 'berth-etc-'))
  stack.defer(() => rm(etc, { recursive: true, force: true }))
  await cp('/etc', etc, {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (path) => !(await lstat(path)).isSocket(),
  })
  await appendFile(join(etc, 'passwd'), 'mapped:x:54321:54321::/:/bin/false\n')
  await appendFile(join(etc, 'group'), 'mapped:x:54321:\n')
  for (const name of ['subuid', 'subgid']) await appendFile(join(etc, name), `mapped:${first}:${size}\n`)
  const daemon = await startDaemon({
    command: [
      'unshare',
      '-m',
      '--propagation',
      'private',
      'sh',
      '-c',
      `mount --bind ${etc} /etc && exec "$@"`,
      'sh',
      process.execPath,
      mainProgram,
    ],
    args: ['--userns-remap', 'mapped'],
  })
  return stack.use(daemon)
}

test('with --userns-remap root of a container is nobody on the host', { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const daemon = await startRemapped(stack)
  const docker = async (...args: string[]) => {
    const result = await daemon.docker(...args)
    expect(result.code, JSON.stringify({ args, ...result })).toBe(0)
    return result.stdout.trim()
  }
  expect(await docker('info', '--format', '{{.SecurityOptions}}')).toContain('name=userns')

  const script =
    'id -u; cat /proc/self/uid_map; touch /made; stat -c %u /made /bin/busybox /etc/hosts; echo x >> /etc/hosts'
  const lines = (await docker('run', '--rm', busybox, 'sh', '-c', script)).split('\n').map((line) => line.trim())
  expect(lines).toEqual(['0', expect.stringMatching(new RegExp(`^0 +${first} +${size}$`)), '0', '0', '0'])

  // A volume's files are the container's own, with and without the map.
  const own = 'touch /v/made; stat -c %u:%g /v /v/made; chown 7:8 /v/made'
  expect(await docker('run', '--rm', '-v', 'named:/v', '-v', '/anonymous', busybox, 'sh', '-c', own)).toBe('0:0\n0:0')
  const look = ['-v', 'named:/v', busybox, 'stat', '-c', '%u:%g', '/v/made']
  expect(await docker('run', '--rm', ...look)).toBe('7:8')
  expect(await docker('run', '--rm', '--userns', 'host', ...look)).toBe('7:8')

  const id = await docker('run', '-d', '--user', '7:8', busybox, 'sh', '-c', 'touch /tmp/own; exec sleep 1000')
  const pid = await docker('inspect', '--format', '{{.State.Pid}}', id)
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  expect(status).toMatch(new RegExp(`^Uid:\\t${first + 7}\\t`, 'm'))
  expect(status).toMatch(new RegExp(`^Gid:\\t${first + 8}\\t`, 'm'))
  expect((await stat(`/proc/${pid}/root/bin/busybox`)).uid).toBe(first)
  expect(await docker('exec', '--user', '0', id, 'sh', '-c', 'id -u; stat -c %u:%g /tmp/own')).toBe('0\n7:8')
  expect(await docker('exec', '-t', '--user', '0', id, 'sh', '-c', 'tty; stat -c %u $(tty)')).toMatch(
    /^\/dev\/pts\/\d+\r?\n0$/,
  )
  await docker('restart', '-t', '0', id)
  expect(await docker('exec', '--user', '0', id, 'stat', '-c', '%u:%g', '/tmp/own')).toBe('7:8')

  expect(await docker('run', '--rm', '--userns', 'host', busybox, 'cat', '/proc/self/uid_map')).toMatch(
    /^0 +0 +4294967295$/,
  )
  expect(await docker('run', '--rm', '--userns', 'host', '--privileged', busybox, 'id', '-u')).toBe('0')

  // Layers have the ids that the container sees.
  expect(await docker('diff', id)).toBe('C /tmp\nA /tmp/own')
  await docker('commit', id, 'remapped')
  expect(await docker('run', '--rm', '--userns', 'host', 'remapped', 'stat', '-c', '%u:%g', '/tmp/own')).toBe('7:8')
  await docker('rm', '-f', id)
})

test('what cannot be shared by mapped containers is refused in words of dockerd', { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const daemon = await startRemapped(stack)
  const refused = async (...args: string[]) => (await daemon.docker('create', ...args, busybox)).stderr
  expect(await refused('--privileged')).toContain('privileged mode is incompatible with user namespaces.')
  expect(await refused('--network', 'host')).toContain("cannot share the host's network namespace when user namespaces")
  expect(await refused('--pid', 'host')).toContain(
    'cannot share the host PID namespace when user namespaces are enabled',
  )
  expect(await refused('--ipc', 'host')).toContain(
    'cannot share the host IPC namespace when user namespaces are enabled',
  )
  expect((await daemon.docker('create', '--userns', 'nonsense', busybox)).code).not.toBe(0)
})

test('a user without subordinate ids keeps the daemon from starting, with a sentence', async () => {
  await expect(startDaemon({ args: ['--userns-remap', 'no-such-user'] })).rejects.toThrow(
    /there is no user "no-such-user" in/,
  )
})

test('containers with mapped users share processes and memory, in the users of the one that is joined', async () => {
  await using stack = new AsyncDisposableStack()
  const daemon = await startRemapped(stack)
  const donor = await daemon.runDetached('--ipc', 'shareable', '--network', 'none', busybox, 'sleep', '600')
  await daemon.docker('exec', donor, 'sh', '-c', 'echo from-donor > /dev/shm/word')
  const join = ['run', '--rm', '--network', 'none', '--ipc', `container:${donor}`]
  const script = 'cat /dev/shm/word /proc/self/uid_map; readlink /proc/self/ns/user'
  const guest = await daemon.docker(...join, '--pid', `container:${donor}`, busybox, 'sh', '-c', script)
  const users = await daemon.docker('exec', donor, 'readlink', '/proc/self/ns/user')
  expect(guest.stderr).toBe('')
  expect(guest.stdout.split(/\s+/).filter((word) => word !== '')).toEqual([
    ...['from-donor', '0', String(first), String(size), users.stdout.trim()],
  ])
  const foreign = await daemon.docker(...join, '--userns', 'host', busybox, 'true')
  expect(foreign.stderr).toContain('one of the two has the users of the host, the other not')
})

test('files are copied from and to a running container with the owners that its processes see', async () => {
  await using stack = new AsyncDisposableStack()
  const daemon = await startRemapped(stack)
  const docker = dockerCli()
  const shell = (script: string) => daemon.run(['sh', '-c', script])
  const own = join(daemon.directory, 'own')
  await mkdir(own)
  const made = 'mkdir -p /d/e && echo a > /d/e/f && chown 12:34 /d/e/f && chmod 600 /d/e/f && exec sleep 600'
  const mounts = ['--tmpfs', '/t', '-v', 'kept:/v', '-v', `${own}:/own`]
  const id = await daemon.runDetached(...mounts, busybox, 'sh', '-c', made)
  await daemon.docker('exec', id, 'sh', '-c', 'until [ "$(stat -c %a /d/e/f)" = 600 ]; do sleep 0.05; done')
  const archive = join(daemon.directory, 'copied.tar')
  const ok = { code: 0, stdout: '', stderr: '' }
  const copyOut = async () => {
    expect(await shell(`${docker} cp ${id}:/d - > ${archive}`)).toEqual(ok)
    const { stdout } = await daemon.run(['tar', '--numeric-owner', '-tvf', archive])
    expect(stdout).toMatch(/^-rw------- 12\/34 .* d\/e\/f$/m)
    expect(stdout).toMatch(/^drwxr-xr-x 0\/0 .* d\/e\/$/m)
  }
  await copyOut()
  for (const place of ['/new', '/t', '/v']) {
    await daemon.docker('exec', id, 'mkdir', '-p', place)
    expect(await shell(`${docker} cp -a - ${id}:${place} < ${archive}`)).toEqual(ok)
    const { stdout } = await daemon.docker('exec', id, 'stat', '-c', '%u:%g %a', join(place, 'd/e/f'))
    expect(stdout).toBe('12:34 600\n')
  }
  // Whoever owns it on the host is nobody in there, and stays so.
  expect(await shell(`${docker} cp - ${id}:/own < ${archive}`)).toMatchObject({ code: 1 })
  expect(await readdir(own)).toEqual([])
  await daemon.docker('stop', '-t', '0', id)
  await copyOut()
})
