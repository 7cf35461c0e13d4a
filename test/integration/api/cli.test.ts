import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { followDocker } from '../../support/follow.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

const none = ['--network', 'none']

const follow = (...args: readonly string[]) => followDocker(daemon, ...args)

test('version and info come through whole, without complaint', async () => {
  const version = await daemon.docker('version', '--format', '{{.Server.Platform.Name}} {{.Server.APIVersion}}')
  expect(version).toEqual({ code: 0, stdout: 'Berth 1.51\n', stderr: '' })
  const info = await daemon.docker(
    'info',
    '--format',
    '{{.Driver}} {{.OSType}} {{.Swarm.LocalNodeState}} {{len .ServerErrors}}',
  )
  expect(info).toMatchObject({ code: 0, stdout: 'overlay2 linux inactive 0\n' })
})

test('ps and inspect show a life from created to exited', async () => {
  const show = async () =>
    (await daemon.docker('ps', '-a', '--format', '{{.State}} {{.Status}} {{.Command}}', ...filter)).stdout
  const { stdout } = await daemon.docker(
    'create',
    '--name',
    'life',
    '--label',
    'a=b',
    ...none,
    busybox,
    'sleep',
    '1000',
  )
  const filter = ['--filter', `id=${stdout.trim()}`, '--filter', 'label=a=b']
  expect(await show()).toBe('created Created "sleep 1000"\n')
  await daemon.docker('start', 'life')
  expect(await show()).toMatch(/^running Up .+ "sleep 1000"\n$/)
  await daemon.docker('pause', 'life')
  expect(await show()).toMatch(/^paused Up .+ \(Paused\) "sleep 1000"\n$/)
  await daemon.docker('unpause', 'life')
  await daemon.docker('rename', 'life', 'afterlife')
  expect((await daemon.docker('stop', '-t', '0', 'afterlife')).stdout).toBe('afterlife\n')
  expect(await show()).toMatch(/^exited Exited \(137\) .+ ago "sleep 1000"\n$/)
  expect(
    (await daemon.docker('inspect', '-f', '{{.Name}} {{.State.ExitCode}} {{.Config.Labels}}', 'afterlife')).stdout,
  ).toBe('/afterlife 137 map[a:b]\n')
})

test('logs -f --tail -t begins with the last lines, goes on, and ends with the container', async () => {
  const script = 'for i in 1 2 3 4 5 6; do echo line $i; done; read x; echo got $x; echo done >&2'
  const { stdout } = await daemon.docker('create', '-i', ...none, busybox, 'sh', '-c', script)
  const id = stdout.trim()
  const attached = daemon.docker('start', '-ai', id)
  await waitFor('six lines are logged', async () => (await daemon.docker('logs', id)).stdout.includes('line 6'))
  const { code } = await attached
  expect(code).toBe(0)
  await using logs = follow('logs', '-f', '--tail', '3', '-t', id)
  expect(await logs.exit()).toBe(0)
  const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z`
  expect(logs.output).toMatch(new RegExp(`^${stamp} line 6\\n${stamp} got\\n$`))
})

test('a follower sees lines as they come', async () => {
  const id = await daemon.runDetached(
    ...none,
    busybox,
    'sh',
    '-c',
    'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.01; done',
  )
  await using logs = follow('logs', '-f', id)
  await logs.until('up\n')
  await daemon.docker('stop', id)
  expect(await logs.exit()).toBe(0)
  expect(logs.output).toBe('up\nbye\n')
})

test('wait answers with the code, to whoever waits before and after the end', async () => {
  const id = await daemon.runDetached(...none, busybox, 'sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.01; done')
  await using early = follow('wait', id)
  await daemon.docker('kill', '-s', 'TERM', id)
  expect(await early.exit()).toBe(0)
  expect(early.output).toBe('9\n')
  expect((await daemon.docker('wait', id)).stdout).toBe('9\n')
})

test('events are seen by those who asked before, filtered as they asked', async () => {
  await using all = follow('events', '--filter', 'type=container', '--filter', 'event=die', '--format', '{{json .}}')
  // The CLI tells nothing when it is subscribed: containers die until it has seen one.
  await waitFor('an event is seen', async () => {
    await daemon.docker('run', '--rm', ...none, '--name', 'mayfly', busybox, 'sh', '-c', 'exit 5')
    return all.output.includes('\n')
  })
  const [line = ''] = all.output.split('\n')
  expect(JSON.parse(line)).toMatchObject({
    Type: 'container',
    Action: 'die',
    status: 'die',
    from: busybox,
    Actor: { Attributes: { exitCode: '5', name: 'mayfly', image: busybox } },
  })
})

test('a network that is not there is no missing image', async () => {
  const { code, stderr } = await daemon.docker('run', '--rm', '--network', 'nowhere', busybox, 'true')
  expect([code, stderr]).toEqual([125, expect.stringContaining('network nowhere not found')])
  expect(stderr).not.toContain('Unable to find image')
})

test('a container of which the client was killed goes on, and its waiters are let go', async () => {
  await using client = follow('run', '--name', 'orphan', ...none, busybox, 'sh', '-c', 'echo up; sleep 1000')
  await client.until('up')
  await client[Symbol.asyncDispose]()
  expect((await daemon.docker('inspect', '-f', '{{.State.Running}}', 'orphan')).stdout).toBe('true\n')
})
