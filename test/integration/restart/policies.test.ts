/** Restart policies, from one attempt to the next and from one daemon to the next. */
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const run = (policy: string, ...command: string[]) =>
  daemon.runDetached('--network', 'none', '--restart', policy, busybox, ...command)
const sleeper = (policy: string) => run(policy, 'sleep', '1000')
const inspect = async (id: string) => {
  const { RestartCount, State } = await daemon.json('GET', `/containers/${id}/json`)
  return { RestartCount: Number(RestartCount), ...(State as { Status: string; Pid: number; ExitCode: number }) }
}
const becomes = (id: string, status: string) =>
  waitFor(`${id} is ${status}`, async () => (await inspect(id)).Status === status, { timeoutMs: 30_000 })
const remove = (...ids: string[]) => daemon.docker('rm', '-f', ...ids)

/** Down, and with seconds to wait for the next attempt. */
const restarting = async () => {
  const id = await run('always', 'false')
  await waitFor('some attempts', async () => (await inspect(id)).RestartCount >= 5, { timeoutMs: 60_000 })
  await becomes(id, 'restarting')
  return id
}

test('while a container waits for its next attempt, it runs to those who start it and to nobody else', async () => {
  const id = await restarting()
  expect((await daemon.request('POST', `/containers/${id}/start`)).status).toBe(304)
  const { RestartCount } = await inspect(id)
  expect(RestartCount).toBeGreaterThanOrEqual(5)
  const refusals = [
    daemon.request('GET', `/containers/${id}/top`),
    daemon.request('POST', `/containers/${id}/pause`),
    daemon.request('POST', `/containers/${id}/exec`, { Cmd: ['true'] }),
  ]
  for (const { status, body } of await Promise.all(refusals)) {
    expect({ status, body }).toEqual({
      status: 409,
      body: expect.stringContaining(`Container ${id} is restarting, wait until the container is running`),
    })
  }
  expect((await daemon.docker('ps', '--format', '{{.Status}}', '--filter', `id=${id}`)).stdout).toMatch(
    /^Restarting \(1\) .* ago\n$/,
  )
  await remove(id)
})

test.each([['stop'], ['kill']])('docker %s ends the wait, and nothing comes back', async (command) => {
  const id = await restarting()
  expect(await daemon.docker(command, id)).toMatchObject({ code: 0, stderr: '' })
  const ended = await inspect(id)
  expect(ended).toMatchObject({ Status: 'exited', ExitCode: 1 })
  expect((await daemon.docker('start', id)).code).toBe(0)
  await waitFor('counts begin anew', async () => (await inspect(id)).RestartCount < ended.RestartCount)
  await remove(id)
})

test('a user’s kill keeps the policy away, a death from elsewhere does not', async () => {
  const [killed, died] = await Promise.all([sleeper('always'), sleeper('always')])
  expect((await daemon.docker('kill', killed)).code).toBe(0)
  expect(await inspect(killed)).toMatchObject({ Status: 'exited', ExitCode: 137, RestartCount: 0 })
  process.kill((await inspect(died)).Pid, 'SIGKILL')
  await waitFor('it is back', async () => {
    const { Status, RestartCount } = await inspect(died)
    return Status === 'running' && RestartCount === 1
  })
  await remove(killed, died)
})

test('a killed daemon’s successor starts what dockerd would start, and counts anew', async () => {
  const [always, unless, failing, mortal, kept, good] = await Promise.all([
    ...['always', 'unless-stopped', 'on-failure', 'on-failure', 'unless-stopped'].map(sleeper),
    run('on-failure', 'true'),
  ])
  const ids = [always, unless, failing, mortal, kept, good].map(String)
  const [A = '', U = '', F = '', M = '', K = '', G = ''] = ids
  const spent = await run('on-failure:1', 'sh', '-c', 'exit 3')
  const waiting = await restarting()
  await waitFor('it has given up', async () => (await inspect(spent)).RestartCount === 1)
  await becomes(spent, 'exited')
  expect((await daemon.docker('stop', '-t', '0', A, U, F)).code).toBe(0)
  const pids = await Promise.all([M, K].map(async (id) => (await inspect(id)).Pid))
  await daemon.kill9()
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await daemon.start()
  for (const id of [A, F, M, K]) await becomes(id, 'running')
  for (const id of [A, F, M, K]) expect((await inspect(id)).RestartCount).toBe(0)
  await waitFor('the one that waited is tried again', async () => {
    const { RestartCount } = await inspect(waiting)
    return RestartCount < 5
  })
  expect(await inspect(U)).toMatchObject({ Status: 'exited', ExitCode: 137 })
  expect(await inspect(G)).toMatchObject({ Status: 'exited', ExitCode: 0 })
  expect(await inspect(spent)).toMatchObject({ Status: 'exited', ExitCode: 3, RestartCount: 1 })

  process.kill((await inspect(A)).Pid, 'SIGKILL')
  await waitFor('the stop of before is forgotten', async () => (await inspect(A)).RestartCount === 1)
  await remove(...ids, spent, waiting)
})

test('policies that make no sense are refused in dockerd’s words', async () => {
  const refusal = async (RestartPolicy: object) => {
    const answer = await daemon.request('POST', '/containers/create', { Image: busybox, HostConfig: { RestartPolicy } })
    expect(answer.status).toBe(400)
    return (JSON.parse(answer.body) as { message: string }).message
  }
  const onlyOnFailure = "invalid restart policy: maximum retry count can only be used with 'on-failure'"
  expect(await refusal({ Name: 'sometimes' })).toBe(
    "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  )
  expect(await refusal({ Name: 'always', MaximumRetryCount: 2 })).toBe(onlyOnFailure)
  expect(await refusal({ Name: 'always', MaximumRetryCount: -2 })).toBe(`${onlyOnFailure} and cannot be negative`)
  expect(await refusal({ Name: 'on-failure', MaximumRetryCount: -2 })).toBe(
    'invalid restart policy: maximum retry count cannot be negative',
  )
})
