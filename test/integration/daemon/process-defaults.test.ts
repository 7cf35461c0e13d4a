import { expect, test } from 'vitest'
import { busybox, startDaemon } from '../../support/daemon.ts'

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
