import { randomBytes } from 'node:crypto'
import { globSync } from 'node:fs'
import { rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { busybox, startDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'
import { waitFor } from '../../support/wait-for.ts'

test('ulimits of the daemon are those of containers that name none, and of their execs', async () => {
  await using daemon = await startDaemon({ args: ['--default-ulimit', 'nofile=200:300', '--default-ulimit', 'core=0'] })
  const limits = 'ulimit -n; ulimit -Hn; ulimit -c'
  const plain = await daemon.runDetached(busybox, 'sh', '-c', `${limits}; exec sleep 600`)
  expect((await daemon.docker('exec', plain, 'sh', '-c', limits)).stdout).toBe('200\n300\n0\n')
  expect((await daemon.docker('logs', plain)).stdout).toBe('200\n300\n0\n')
  const own = await daemon.docker('run', '--rm', '--ulimit', 'nofile=100', busybox, 'sh', '-c', limits)
  expect(own.stdout).toBe('100\n100\n0\n')
  // As with dockerd the record says what was asked for.
  const { stdout } = await daemon.docker('inspect', '-f', '{{json .HostConfig.Ulimits}}', plain)
  expect(stdout.trim()).toBe('[]')
})

test('no new privileges, where the container says nothing of it', async () => {
  await using daemon = await startDaemon({ args: ['--no-new-privileges'] })
  const script = 'grep NoNewPrivs /proc/self/status'
  const run = (...flags: string[]) => daemon.docker('run', '--rm', ...flags, busybox, 'sh', '-c', script)
  expect((await run()).stdout).toMatch(/\s1\n$/)
  expect((await run('--security-opt', 'no-new-privileges=false')).stdout).toMatch(/\s0\n$/)
  const id = await daemon.runDetached(busybox, 'sleep', '600')
  expect((await daemon.docker('exec', id, 'sh', '-c', script)).stdout).toMatch(/\s1\n$/)
  const { stdout } = await daemon.docker('inspect', '-f', '{{json .HostConfig.SecurityOpt}}', id)
  expect(stdout.trim()).toBe('null')
})

test('DNS settings, the gateway of the host and an init are for containers that say nothing of them', async () => {
  await using daemon = await startDaemon({
    args: [
      ...['--dns', '9.9.9.9', '--dns-opt', 'ndots:3', '--dns-search', 'corp.test'],
      ...['--host-gateway-ip', '10.9.8.7', '--host-gateway-ip', 'fd00::1', '--init'],
    ],
  })
  const run = async (...args: string[]) => (await daemon.docker('run', '--rm', ...args)).stdout
  const dns = (text: string) => text.split('\n').filter((line) => /^(nameserver|search|options) /.test(line))
  const theirs = ['nameserver 9.9.9.9', 'search corp.test', 'options ndots:3']
  expect(dns(await run(busybox, 'cat', '/etc/resolv.conf'))).toEqual(theirs)
  expect(dns(await run('--network', 'host', busybox, 'cat', '/etc/resolv.conf'))).toEqual(theirs)
  expect(dns(await run('--dns', '1.1.1.1', busybox, 'cat', '/etc/resolv.conf'))).toEqual([
    ...['nameserver 1.1.1.1', ...theirs.slice(1)],
  ])
  expect(await run('--add-host', 'up:host-gateway', busybox, 'grep', 'up$', '/etc/hosts')).toBe(
    '10.9.8.7\tup\nfd00::1\tup\n',
  )
  const first = ['cat', '/proc/1/comm']
  expect(await run(busybox, ...first)).toBe('docker-init\n')
  expect(await run('--init=false', busybox, ...first)).toBe('cat\n')
  const hostConfig = async (...flags: string[]) => {
    const id = (await daemon.docker('create', ...flags, busybox)).stdout.trim()
    const { HostConfig } = (await daemon.json('GET', `/containers/${id}/json`)) as { HostConfig: object }
    return HostConfig
  }
  expect(await hostConfig()).toMatchObject({ Dns: [], DnsSearch: [], DnsOptions: [] })
  expect(await hostConfig()).not.toHaveProperty('Init')
  expect(await hostConfig('--init=false')).toMatchObject({ Init: false })
})

test('the size of shared memory and the modes of namespaces go into the record, and are read again at SIGHUP', async () => {
  await using directory = await tempDirectory('berth-defaults-')
  const file = join(directory.path, 'daemon.json')
  const write = (settings: object) => writeFile(file, JSON.stringify(settings))
  await write({ 'default-shm-size': '32M', 'default-ipc-mode': 'shareable', 'default-cgroupns-mode': 'host' })
  await using daemon = await startDaemon({ args: ['--config-file', file] })
  const inspect = async (...flags: string[]) => {
    const id = (await daemon.docker('create', ...flags, busybox)).stdout.trim()
    const format = '{{.HostConfig.ShmSize}} {{.HostConfig.IpcMode}} {{.HostConfig.CgroupnsMode}}'
    return (await daemon.docker('inspect', '-f', format, id)).stdout.trim()
  }
  expect(await inspect()).toBe(`${32 << 20} shareable host`)
  expect(await inspect('--shm-size', '1m', '--ipc', 'private', '--cgroupns', 'private')).toBe(
    `${1 << 20} private private`,
  )
  const { stdout } = await daemon.docker('run', '--rm', busybox, 'grep', ' /dev/shm ', '/proc/mounts')
  expect(stdout).toContain('size=32768k')
  const since = Date.now() / 1000 - 1
  await write({ 'default-shm-size': '16M', 'shutdown-timeout': 25 })
  process.kill(daemon.pid, 'SIGHUP')
  await waitFor('the file has been read', () => daemon.log.includes('Reloaded configuration'))
  expect(await inspect()).toBe(`${16 << 20} private private`)
  const events = await daemon.docker(
    ...['events', '--since', String(since), '--until', String(Date.now() / 1000 + 1)],
    ...['--filter', 'type=daemon', '--format', '{{json .Actor.Attributes}}'],
  )
  expect(JSON.parse(events.stdout)).toMatchObject({
    'default-cgroupns-mode': 'private',
    'default-ipc-mode': 'private',
    'default-shm-size': String(16 << 20),
    'shutdown-timeout': '25',
  })
})

test('a seccomp profile of the daemon is that of containers that name none, and of their execs', async () => {
  await using directory = await tempDirectory('berth-defaults-')
  const profile = join(directory.path, 'profile.json')
  const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }]
  await writeFile(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }))
  await using daemon = await startDaemon({ args: ['--seccomp-profile', profile] })
  expect((await daemon.json('GET', '/info')).SecurityOptions).toContain(`name=seccomp,profile=${profile}`)
  const make = ['mkdir', '/made']
  const run = (...flags: string[]) => daemon.docker('run', '--rm', ...flags, busybox, ...make)
  expect((await run()).stderr).toContain('Operation not supported')
  expect((await run('--security-opt', 'seccomp=builtin')).code).toBe(0)
  expect((await run('--security-opt', 'seccomp=unconfined')).code).toBe(0)
  expect((await run('--privileged')).code).toBe(0)
  const id = await daemon.runDetached(busybox, 'sleep', '600')
  expect((await daemon.docker('exec', id, ...make)).stderr).toContain('Operation not supported')
})

test('without a seccomp profile, and with one that cannot be used', async () => {
  await using daemon = await startDaemon({ args: ['--seccomp-profile', 'unconfined'] })
  const { stdout } = await daemon.docker('run', '--rm', busybox, 'grep', 'Seccomp:', '/proc/self/status')
  expect(stdout).toMatch(/\s0\n$/)
  const failing = startDaemon({ withImage: false, args: ['--seccomp-profile', '/nowhere'] })
  await expect(failing).rejects.toThrow('opening seccomp profile (/nowhere) failed')
})

test('the parent of cgroups counts at the start, and is known to a daemon that is told another one', async () => {
  const parent = `berth-test-${randomBytes(4).toString('hex')}`
  await using undo = new AsyncDisposableStack()
  undo.defer(async () => {
    for (const path of globSync(`/sys/fs/cgroup/{,*/}${parent}`)) await rmdir(path)
  })
  await using directory = await tempDirectory('berth-defaults-')
  const file = join(directory.path, 'daemon.json')
  await writeFile(file, JSON.stringify({ 'cgroup-parent': parent }))
  await using daemon = await startDaemon({ args: ['--config-file', file] })
  const id = await daemon.runDetached(busybox, 'sleep', '600')
  const groups = () => globSync(`/sys/fs/cgroup/{,*/}${parent}/${id}`)
  expect(groups()).not.toEqual([])
  const { stdout } = await daemon.docker('inspect', '-f', '{{json .HostConfig.CgroupParent}}', id)
  expect(stdout.trim()).toBe('""')
  await daemon.stop()
  await writeFile(file, '{}')
  await daemon.start()
  expect((await daemon.docker('top', id)).stdout).toContain('sleep 600')
  await daemon.docker('restart', '-t', '0', id)
  expect(groups()).toEqual([])
  expect((await daemon.docker('top', id)).stdout).toContain('sleep 600')
})

test('ports that name no address are published where the daemon says, on the default bridge alone', async () => {
  await using daemon = await startDaemon({ args: ['--ip', '127.0.0.1'] })
  await daemon.docker('network', 'create', 'other')
  const portOf = async (...flags: string[]) => {
    const id = await daemon.runDetached(...flags, '-p', '80', busybox, 'sleep', '600')
    return (await daemon.docker('port', id)).stdout
  }
  expect(await portOf()).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+\n$/)
  expect(await portOf('--network', 'other')).toMatch(/^80\/tcp -> 0\.0\.0\.0:\d+\n/)
  const { stdout } = await daemon.docker('network', 'inspect', '-f', '{{json .Options}}', 'bridge')
  expect(stdout).toContain('"com.docker.network.bridge.host_binding_ipv4":"127.0.0.1"')
})
