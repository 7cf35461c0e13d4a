/** Whose shared memory and queues a container has, beside dockerd. */
import { beforeAll, expect, test } from 'vitest'
import { busybox } from '../../support/daemon.ts'
import { type BesideDockerd, startBesideDockerd } from './beside-dockerd.ts'

let beside: BesideDockerd
beforeAll(async () => {
  beside = await startBesideDockerd()
  return () => beside[Symbol.asyncDispose]()
})

const sleeper = [busybox, 'sleep', '600']
const detached = ['run', '-d', '--network', 'none']
const once = ['run', '--rm', '--network', 'none']

/** dockerd warns of a host that forwards nothing. */
async function onBoth(...args: string[]): Promise<void> {
  const { ours, dockerd } = await beside.both(...args)
  expect({ args, ours: ours.code, dockerd: dockerd.code }).toEqual({ args, ours: 0, dockerd: 0 })
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** The answers of both, with what differs from run to run in it hidden. */
async function bothAnswer(method: string, path: string, body?: object): Promise<Answer[]> {
  const theirs = await beside.askPeer(path, method, body === undefined ? undefined : JSON.stringify(body))
  const answers: Answer[] = [await beside.ours.request(method, path, body), theirs]
  return answers.map(({ status, body: text }) => ({
    status,
    body: text
      .trim()
      .replace(/[0-9a-f]{64}/g, '<id>')
      .replace(/"Warnings":\[.*\]/, ''),
  }))
}

const modes = [
  ...['private', 'shareable', 'none', 'host', 'container:', 'container:nobody', 'container:donor', 'container:own'],
  ...['container:closed', 'container:stopped', 'foo', 'shareable:x', 'container:guest'],
]

test('every mode is taken or refused as by dockerd, at create and at start', async () => {
  await onBoth(...detached, '--name', 'donor', '--ipc', 'shareable', ...sleeper)
  await onBoth(...detached, '--name', 'own', '--ipc', 'shareable', '--tmpfs', '/dev/shm', ...sleeper)
  await onBoth(...detached, '--name', 'closed', '--ipc', 'private', ...sleeper)
  await onBoth('create', '--name', 'stopped', '--ipc', 'shareable', ...sleeper)
  await onBoth(...detached, '--name', 'guest', '--ipc', 'container:donor', ...sleeper)
  for (const [index, IpcMode] of modes.entries()) {
    const name = `mode-${index}`
    const HostConfig = { IpcMode, NetworkMode: 'none' }
    const [mine, theirs] = await bothAnswer('POST', `/containers/create?name=${name}`, {
      Image: busybox,
      Cmd: ['sleep', '600'],
      HostConfig,
    })
    expect({ IpcMode, ...mine }).toEqual({ IpcMode, ...theirs })
    const [mineStarted, theirsStarted] = await bothAnswer('POST', `/containers/${name}/start`)
    expect({ IpcMode, ...mineStarted }).toEqual({ IpcMode, ...theirsStarted })
    await beside.both('rm', '-f', name)
  }
  await onBoth('create', '--name', 'orphan', '--ipc', 'container:stopped', ...sleeper)
  await onBoth('rm', 'stopped')
  const [mine, theirs] = await bothAnswer('POST', '/containers/orphan/start')
  expect(mine).toEqual(theirs)
  await beside.both('rm', '-f', 'donor', 'own', 'closed', 'guest', 'orphan')
})

test.each(['private', 'shareable', 'none', 'host', 'container:donor'])('%s has the mounts of dockerd', async (mode) => {
  await onBoth(...detached, '--name', 'donor', '--ipc', 'shareable', '--shm-size', '3m', ...sleeper)
  const script = 'grep -E " /dev/(shm|mqueue) " /proc/mounts'
  const { ours, dockerd } = await beside.both(...once, '--ipc', mode, busybox, 'sh', '-c', script)
  const sorted = (text: string) => text.replaceAll(',inode64', '').split('\n').sort()
  expect(sorted(ours.stdout)).toEqual(sorted(dockerd.stdout))
  await beside.both('rm', '-f', 'donor')
})

test('memory, semaphores and queues are shared with the donor, and live as long as anybody has them', async () => {
  const { ours } = beside
  const donor = await ours.runDetached('--ipc', 'shareable', '--network', 'none', busybox, 'sleep', '600')
  const guest = await ours.runDetached('--ipc', `container:${donor}`, '--network', 'none', busybox, 'sleep', '600')
  const namespaceOf = async (id: string) => (await ours.docker('exec', id, 'readlink', '/proc/self/ns/ipc')).stdout
  expect(await namespaceOf(guest)).toBe(await namespaceOf(donor))
  await ours.docker('exec', donor, 'sh', '-c', 'echo from-donor > /dev/shm/word')
  expect((await ours.docker('exec', guest, 'cat', '/dev/shm/word')).stdout).toBe('from-donor\n')
  await ours.docker('exec', guest, 'touch', '/dev/mqueue/queue')
  expect((await ours.docker('exec', donor, 'ls', '/dev/mqueue')).stdout).toBe('queue\n')
  await ours.docker('rm', '-f', donor)
  expect((await ours.docker('exec', guest, 'cat', '/dev/shm/word')).stdout).toBe('from-donor\n')
  await ours.docker('rm', '-f', guest)
})

test('a donor that may mount cannot lead its guest to the files of the host', async () => {
  const { ours } = beside
  const run = [...detached, '--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined']
  const swap = 'umount /dev/shm && rmdir /dev/shm && ln -s /etc /dev/shm && exec sleep 600'
  const donor = (await ours.docker(...run, '--ipc', 'shareable', busybox, 'sh', '-c', swap)).stdout.trim()
  await ours.docker('exec', donor, 'sh', '-c', 'until [ -L /dev/shm ]; do sleep 0.05; done')
  const guest = await ours.docker(...once, '--ipc', `container:${donor}`, busybox, 'ls', '/dev/shm')
  expect(guest).toMatchObject({ code: 125, stdout: '', stderr: expect.stringContaining("open '/dev/shm'") as string })
  await ours.docker('rm', '-f', donor)
})
