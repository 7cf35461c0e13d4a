import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const run = (...args: string[]) => daemon.runDetached('--network', 'none', ...args)
const inspect = async (id: string) =>
  (await daemon.json('GET', `/containers/${id}/json`)) as {
    State: { Status: string; ExitCode: number }
    HostConfig: { PidMode: string }
  }
const remove = (id: string) => daemon.request('DELETE', `/containers/${id}?force=1`)

test('a container sees the processes of the one that it joins, signals them, and ends with it', async () => {
  const donor = await run('--name', 'donor', busybox, 'sleep', '1234')
  const guest = await run('--pid', 'container:donor', busybox, 'sleep', '5678')
  expect((await inspect(guest)).HostConfig.PidMode).toBe(`container:${donor}`)
  const seen = await daemon.docker('exec', guest, 'ps')
  expect(seen.stdout).toMatch(/^ +1 .*sleep 1234$/m)
  expect(seen.stdout).toMatch(/sleep 5678$/m)
  expect((await daemon.docker('top', guest)).stdout).not.toContain('sleep 1234')
  await daemon.request('POST', `/containers/${donor}/kill`)
  await waitFor('the guest has ended too', async () => (await inspect(guest)).State.Status === 'exited')
  expect((await inspect(guest)).State.ExitCode).toBe(137)
  await remove(guest)
  await remove(donor)
})

test('the one that is joined outlives its guest, all of whose processes go', async () => {
  const donor = await run('--name', 'donor', busybox, 'sleep', '1234')
  const guest = await run('--pid', 'container:donor', busybox, 'sh', '-c', 'sleep 8765 & exec sleep 5678')
  await daemon.request('POST', `/containers/${guest}/stop?t=0`)
  const left = (await daemon.docker('exec', donor, 'ps')).stdout
  expect(left).toMatch(/sleep 1234$/m)
  expect(left).not.toMatch(/sleep (5678|8765)$/m)
  await remove(guest)
  await remove(donor)
})

test('what cannot be joined is refused as by dockerd', async () => {
  const create = async (mode: string) => {
    const body = { Image: busybox, Cmd: ['sleep', '1'], HostConfig: { PidMode: mode, NetworkMode: 'none' } }
    const answer = await daemon.request('POST', '/containers/create', body)
    const { Id = '', message } = JSON.parse(answer.body) as { Id?: string; message?: string }
    return { status: answer.status, id: Id, message }
  }
  expect(await create('container:nobody')).toMatchObject({ status: 400, message: 'No such container: nobody' })
  expect(await create('container:')).toMatchObject({ status: 400, message: 'invalid PID mode: container:' })
  const stopped = String((await daemon.json('POST', '/containers/create', { Image: busybox })).Id)
  const guest = await create(`container:${stopped}`)
  const startIt = async () => {
    const answer = await daemon.request('POST', `/containers/${guest.id}/start`)
    return [answer.status, (JSON.parse(answer.body) as { message: string }).message]
  }
  expect(await startIt()).toEqual([500, `failed to join PID namespace: container ${stopped} is not running`])
  await remove(stopped)
  expect(await startIt()).toEqual([500, `failed to join PID namespace: No such container: ${stopped}`])
  await remove(guest.id)
})
