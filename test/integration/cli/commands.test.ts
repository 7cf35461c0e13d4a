import { beforeAll, expect, test } from 'vitest'
import { busybox, type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { type Berth, berthCommand, berthFor } from './client.ts'

let daemon: TestDaemon
let berth: Berth
beforeAll(async () => {
  daemon = await startDaemon()
  berth = berthFor(daemon)
  return () => daemon[Symbol.asyncDispose]()
})

async function start(name: string, ...command: string[]): Promise<void> {
  const { code, stderr } = await berth('run', '-d', '--name', name, '--network', 'none', busybox, ...command)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

test("lists are docker's own", async () => {
  await start('one', 'sleep', '60')
  await berth(
    'create',
    '--name',
    'two',
    '-l',
    'a=b',
    '-v',
    '/srv:/srv:ro',
    '--network',
    'none',
    busybox,
    'echo',
    '"quoted"',
  )
  const columns = [
    'ID',
    'Image',
    'Command',
    'State',
    'Ports',
    'Names',
    'Labels',
    'Mounts',
    'Networks',
    'CreatedAt',
    'Size',
  ]
  const lines = [
    ['ps', '-a', '--format', `table ${columns.map((name) => `{{.${name}}}`).join('\\t')}`],
    ['ps', '-aq', '--no-trunc'],
    ['ps', '-a', '--filter', 'label=a'],
    ['images'],
    ['images', '--digests', '--no-trunc'],
    ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}} {{.Size}}'],
    ['history', busybox],
    ['inspect', 'one', busybox],
    ['container', 'inspect', '-f', '{{.Name}} {{.State.Status}} {{json .Config.Cmd}}', 'one', 'two'],
  ]
  // The two look at different moments.
  const ages = /(Less than a second|About a minute|\d+ (second|minute)s?)( ago)?\s+/g
  const ageless = ({ code, stdout, stderr }: CommandResult) => ({
    code,
    stderr,
    stdout: stdout.replaceAll(ages, 'AGE '),
  })
  for (const line of lines) {
    expect(ageless(await berth(...line)), line.join(' ')).toEqual(ageless(await daemon.docker(...line)))
  }
  await berth('rm', '-f', 'one', 'two')
})

test('logs keep both outputs apart and follow to the end', async () => {
  await start('chatty', 'sh', '-c', 'for i in 1 2 3; do echo line $i; done; echo warn >&2; sleep 1; echo last')
  expect(await berth('logs', '-f', 'chatty')).toEqual({
    code: 0,
    stdout: 'line 1\nline 2\nline 3\nlast\n',
    stderr: 'warn\n',
  })
  expect((await berth('logs', '--tail', '1', 'chatty')).stdout).toBe('last\n')
  expect((await berth('logs', '-t', '--tail', '1', 'chatty')).stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z last\n$/)
  expect((await berth('logs', '--since', '1h', '--until', '0s', 'chatty')).stdout).toContain('line 1\n')
  await berth('rm', 'chatty')
})

test('exec gives the status of its command and passes input on', async () => {
  await start('home', 'sleep', '60')
  expect((await berth('exec', 'home', 'sh', '-c', 'exit 3')).code).toBe(3)
  expect((await berth('exec', '-e', 'A=b', '-w', '/tmp', 'home', 'sh', '-c', 'echo $A $PWD')).stdout).toBe('b /tmp\n')
  expect((await berth('exec', 'home', 'nosuch')).code).toBe(127)
  expect((await berth('exec', '-d', 'home', 'touch', '/touched')).code).toBe(0)
  expect((await berth('exec', 'gone', 'true')).stderr).toBe('Error response from daemon: No such container: gone\n')
  await berth('rm', '-f', 'home')
})

test('a container goes through its life by every verb', async () => {
  await start('life', 'sleep', '60')
  expect(await berth('rename', 'life', 'lived')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect((await berth('top', 'lived')).stdout).toMatch(/^UID +PID +PPID.*CMD\n.*sleep 60\n$/s)
  expect((await berth('pause', 'lived')).stdout).toBe('lived\n')
  expect((await berth('inspect', '-f', '{{.State.Status}}', 'lived')).stdout).toBe('paused\n')
  expect(await berth('attach', 'lived')).toMatchObject({ code: 1, stderr: expect.stringContaining('unpause it first') })
  expect((await berth('unpause', 'lived')).stdout).toBe('lived\n')
  expect((await berth('restart', '-t', '0', 'lived')).stdout).toBe('lived\n')
  expect((await berth('kill', '-s', 'KILL', 'lived')).stdout).toBe('lived\n')
  expect((await berth('wait', 'lived')).stdout).toBe('137\n')
  expect((await berth('start', 'lived')).stdout).toBe('lived\n')
  expect((await berth('stop', '-t', '0', 'lived')).stdout).toBe('lived\n')
  expect((await berth('rm', 'lived')).stdout).toBe('lived\n')
})

test('several names go on past a failure, which is told and counts', async () => {
  await start('first', 'sleep', '60')
  await start('second', 'sleep', '60')
  expect(await berth('rm', '-f', 'first', 'second')).toEqual({ code: 0, stdout: 'first\nsecond\n', stderr: '' })
  await start('third', 'sleep', '60')
  expect(await berth('stop', '-t', '0', 'nosuch', 'third')).toEqual({
    code: 1,
    stdout: 'third\n',
    stderr: 'Error response from daemon: No such container: nosuch\n',
  })
  expect(await berth('inspect', 'nosuch')).toEqual({
    code: 1,
    stdout: '[]\n',
    stderr: 'Error: No such object: nosuch\n',
  })
  expect(await berth('rm', '-f', 'third', 'nosuch')).toEqual({
    code: 0,
    stdout: 'third\n',
    stderr: 'Error response from daemon: No such container: nosuch\n',
  })
})

test('images get names and lose them', async () => {
  expect(await berth('tag', busybox, 'team/tool:v2')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect((await berth('images', '--format', '{{.Repository}}:{{.Tag}}', 'team/tool')).stdout).toBe('team/tool:v2\n')
  expect((await berth('rmi', 'team/tool:v2')).stdout).toBe('Untagged: team/tool:v2\n')
  expect(await berth('rmi', 'team/tool:v2')).toMatchObject({ code: 1, stdout: '' })
})

test("events are docker's own lines", async () => {
  const since = String(Date.now() / 1000)
  await berth('run', '--rm', '--network', 'none', busybox, 'true')
  const until = String(Date.now() / 1000 + 0.01)
  const window = ['events', '--since', since, '--until', until]
  const ours = await berth(...window)
  expect(ours.stdout.split('\n').map((line) => line.split(' ')[2])).toEqual(
    expect.arrayContaining(['create', 'start', 'die', 'destroy']),
  )
  expect(ours).toEqual(await daemon.docker(...window))
  const actions = await berth(
    ...window,
    '--filter',
    'event=die',
    '--format',
    '{{.Action}} {{.Actor.Attributes.exitCode}}',
  )
  expect(actions.stdout).toBe('die 0\n')
})

test('version and info tell of client and engine', async () => {
  const { stdout } = await berth('version')
  expect(stdout).toContain('Client: Berth\n Version: ')
  expect(stdout).toContain('Server: Berth\n Engine:\n  Version: ')
  expect((await berth('version', '-f', '{{.Server.ApiVersion}}')).stdout).toBe(
    (await daemon.docker('version', '-f', '{{.Server.APIVersion}}')).stdout,
  )
  const info = await berth('info', '-f', '{{.OSType}} {{.ID}} {{len .Runtimes}}')
  expect(info).toEqual(await daemon.docker('info', '-f', '{{.OSType}} {{.ID}} {{len .Runtimes}}'))
})

test('dial-stdio connects standard streams with the engine', async () => {
  const line = [...berthCommand, 'system', 'dial-stdio']
  const { code, stdout } = await daemon.run(line, 'GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect({ code, body: stdout.split('\r\n\r\n')[1] }).toEqual({ code: 0, body: 'OK' })
})
