import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { busybox, startDaemon } from '../../support/daemon.ts'
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

test('on a full disk containers end and go, images too, and the daemon comes back', { timeout: 90_000 }, async () => {
  await using mounts = await holdMounts()
  // "$5" is the data root: `node main daemon --data-root …`.
  const script =
    'mkdir -p "$5" && { mountpoint -q "$5" || mount -t tmpfs -o size=48m tmpfs "$5"; } && umask 077 && exec "$@"'
  await using daemon = await startDaemon({
    command: [
      ...['nsenter', `--mount=/proc/${mounts.pid}/ns/mnt`, '--'],
      ...['sh', '-c', script, 'sh', process.execPath, mainProgram],
    ],
  })
  const filler = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const sleepers = await Promise.all(
    [1, 2, 3, 4].map(() => daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')),
  )
  const removesItself = await daemon.runDetached('--rm', '--network', 'none', busybox, 'sleep', '1000')
  const fill = async () => {
    const dd = 'dd if=/dev/zero of=/fill-$1 bs=1M; dd if=/dev/zero of=/rest-$1 bs=4k'
    const filled = await daemon.docker('exec', filler, 'sh', '-c', dd, 'sh', String(process.hrtime.bigint()))
    expect(filled.stderr).toContain('No space left on device')
  }
  const succeed = async (...args: string[]) =>
    expect({ args, ...(await daemon.docker(...args)) }).toMatchObject({ code: 0, stderr: '' })

  await fill()
  await succeed('stop', '-t', '0', removesItself)
  await waitFor('it has removed itself', async () => {
    return (await daemon.request('GET', `/containers/${removesItself}/json`)).status === 404
  })
  for (const id of sleepers.slice(0, 2)) {
    await fill()
    await succeed('stop', '-t', '0', id)
    await fill()
    await succeed('rm', id)
  }
  await fill()
  await daemon.kill9()
  await daemon.start()
  await fill()
  await daemon.restart()
  for (const id of sleepers.slice(2)) await succeed('rm', '-f', id)
  await fill()
  await succeed('rm', '-f', filler)
  await succeed('rmi', busybox)
  expect((await daemon.docker('ps', '-aq')).stdout).toBe('')
  expect(daemon.log).not.toContain('level=error')
})
