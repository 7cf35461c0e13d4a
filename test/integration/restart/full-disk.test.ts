import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')

/** A mount namespace that lives as long as its holder. */
async function holdMounts(): Promise<AsyncDisposable & { readonly pid: number }> {
  const script = 'echo up && exec sleep infinity'
  const holder: ChildProcess = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (holder.stdout) await once(holder.stdout, 'data')
  return {
    pid: holder.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const exited = once(holder, 'exit')
      holder.kill('SIGKILL')
      await exited
    },
  }
}

/** A daemon whose data root is a small file system of its own. */
async function startOnSmallDisk(stack: AsyncDisposableStack): Promise<TestDaemon> {
  const mounts = stack.use(await holdMounts())
  // "$5" is the data root: `node main daemon --data-root …`.
  const script =
    'mkdir -p "$5" && { mountpoint -q "$5" || mount -t tmpfs -o size=48m tmpfs "$5"; } && umask 077 && exec "$@"'
  return stack.use(
    await startDaemon({
      command: [
        ...['nsenter', `--mount=/proc/${mounts.pid}/ns/mnt`, '--'],
        ...['sh', '-c', script, 'sh', process.execPath, mainProgram],
      ],
    }),
  )
}

async function fill(daemon: TestDaemon, filler: string): Promise<void> {
  const dd = 'dd if=/dev/zero of=/fill-$1 bs=1M; dd if=/dev/zero of=/rest-$1 bs=4k'
  const filled = await daemon.docker('exec', filler, 'sh', '-c', dd, 'sh', String(process.hrtime.bigint()))
  expect(filled.stderr).toContain('No space left on device')
}

test('on a full disk containers end and go, images too, and the daemon comes back', { timeout: 90_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const daemon = await startOnSmallDisk(stack)
  const filler = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const sleepers = await Promise.all(
    [1, 2, 3, 4].map(() => daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')),
  )
  const removesItself = await daemon.runDetached('--rm', '--network', 'none', busybox, 'sleep', '1000')
  const succeed = async (...args: string[]) =>
    expect({ args, ...(await daemon.docker(...args)) }).toMatchObject({ code: 0, stderr: '' })

  // What is written in the background has its place before the disk is full.
  await waitFor('the image has its record', async () => {
    const { body } = await daemon.request('POST', '/x/system/check')
    return body.includes('"Unrecorded":0')
  })
  await fill(daemon, filler)
  await succeed('stop', '-t', '0', removesItself)
  await waitFor('it has removed itself', async () => {
    return (await daemon.request('GET', `/containers/${removesItself}/json`)).status === 404
  })
  for (const id of sleepers.slice(0, 2)) {
    await fill(daemon, filler)
    await succeed('stop', '-t', '0', id)
    await fill(daemon, filler)
    await succeed('rm', id)
  }
  await fill(daemon, filler)
  await daemon.kill9()
  await daemon.start()
  await fill(daemon, filler)
  await daemon.restart()
  for (const id of sleepers.slice(2)) await succeed('rm', '-f', id)
  await fill(daemon, filler)
  await succeed('rm', '-f', filler)
  await succeed('rmi', busybox)
  expect((await daemon.docker('ps', '-aq')).stdout).toBe('')
  expect(daemon.log).not.toContain('level=error')
})

test('a container that crashes over and over waits for room on a full disk, and then goes on', {
  timeout: 90_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const daemon = await startOnSmallDisk(stack)
  const filler = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const crashes = await daemon.runDetached('--network', 'none', '--restart', 'always', busybox, 'false')
  const restarts = async () =>
    Number((await daemon.docker('inspect', '--format', '{{.RestartCount}}', crashes)).stdout.trim())
  await waitFor('it was restarted', async () => (await restarts()) > 0)
  await fill(daemon, filler)
  await waitFor('it waits', async () => {
    await fill(daemon, filler)
    return daemon.log.includes('a restart waits for room on the disk')
  })
  const before = await restarts()
  expect(await daemon.docker('exec', filler, 'sh', '-c', 'rm /fill-* /rest-*')).toMatchObject({ code: 0 })
  await waitFor('it is restarted again', async () => (await restarts()) > before, { timeoutMs: 30_000 })
  expect((await daemon.docker('rm', '-f', crashes)).code).toBe(0)
})
