/** Log drivers that send: what collectors get, and that neither their death nor the daemon's costs a container anything. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, inflateSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { type CollectorPlace, decodeForward, startCollector } from '#test/support/collector.ts'
import { busybox, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { waitFor } from '#test/support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const collect = (place: CollectorPlace) => startCollector(place, daemon.enter)
const optionsOf = (options: Record<string, string>) =>
  Object.entries(options).flatMap(([key, value]) => ['--log-opt', `${key}=${value}`])

async function say(driver: string, options: Record<string, string>, script: string, ...more: readonly string[]) {
  const flags = ['--network', 'none', '--log-driver', driver, ...optionsOf(options), ...more]
  return await daemon.runDetached(...flags, busybox, 'sh', '-c', script)
}
const isChunk = (datagram: Buffer) => datagram[0] === 0x1e
const logsOf = async (...args: readonly string[]) => (await daemon.docker('logs', ...args)).stdout

test('syslog gets each line with priority and tag, and the log can be read here too', async () => {
  const path = join(daemon.directory, 'syslog')
  await using collector = await startCollector(`datagram:${path}`)
  const options = {
    'syslog-address': `unixgram://${path}`,
    'syslog-facility': 'local3',
    tag: '{{.Name}}/{{.ImageName}}',
  }
  const id = await say('syslog', options, 'echo one; echo two >&2; printf three', '--name', 'speaker')
  await collector.until('one', 'two', 'three')
  const text = collector.pieces.map(String)
  const head = String.raw`\w{3} [ \d]\d \d\d:\d\d:\d\d speaker/busybox\[${daemon.pid}\]: `
  expect(text.find((line) => line.includes('one'))).toMatch(new RegExp(`^<158>${head}one\n$`))
  expect(text.find((line) => line.includes('two'))).toMatch(new RegExp(`^<155>${head}two\n$`))
  expect(text.find((line) => line.includes('three'))).toMatch(new RegExp(`^<158>${head}three\n$`))
  expect(await logsOf(id)).toBe('one\nthree')
  expect(await daemon.json('GET', `/containers/${id}/json`)).toMatchObject({
    LogPath: '',
    HostConfig: { LogConfig: { Type: 'syslog', Config: options } },
  })
})

test('RFC 5424 over TCP counts the bytes of each message', async () => {
  await using collector = await collect('tcp:6514')
  const options = { 'syslog-address': 'tcp://127.0.0.1:6514', 'syslog-format': 'rfc5424micro', tag: 'app' }
  await say('syslog', options, 'echo grün; echo end')
  await collector.until('end\n')
  const [first = '', rest = ''] = collector.text.split(/(?<=grün\n)/)
  const [, size = '', message = ''] = /^(\d+) (.*)$/s.exec(first) ?? []
  expect(message).toMatch(
    new RegExp(String.raw`^<30>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ${hostname()} app \d+ app - grün\n$`),
  )
  expect(Number(size)).toBe(Buffer.byteLength(message))
  expect(rest).toMatch(/^\d+ <30>1 .* app - end\n$/)
})

test('GELF over UDP is compressed and cut into chunks, over TCP each message ends in a zero byte', async () => {
  await using datagrams = await collect('udp:12201')
  const noise = 'head -c 9000 /dev/urandom | od -An -tx1 | tr -d "\\n "; echo'
  const labels = { labels: 'team', env: 'STAGE' }
  const more = ['--label', 'team=blue', '-e', 'STAGE=prod', '--name', 'noisy']
  await say('gelf', { 'gelf-address': 'udp://127.0.0.1:12201', ...labels }, `echo; echo small; ${noise}`, ...more)
  await waitFor('all chunks', () => {
    const chunk = datagrams.pieces.find(isChunk)
    return chunk !== undefined && datagrams.pieces.length === 2 + (chunk[11] ?? 0)
  })
  const [small = Buffer.alloc(0)] = datagrams.pieces
  const chunks = datagrams.pieces.filter(isChunk)
  expect(JSON.parse(gunzipSync(small).toString())).toMatchObject({
    ...{ version: '1.1', host: hostname(), short_message: 'small', level: 6 },
    ...{ _container_name: 'noisy', _image_name: busybox, _team: 'blue', _STAGE: 'prod' },
  })
  expect(chunks.every((chunk) => chunk.length <= 1420)).toBe(true)
  const ordered = chunks.toSorted((a, b) => (a[10] ?? 0) - (b[10] ?? 0)).map((chunk) => chunk.subarray(12))
  const large = JSON.parse(gunzipSync(Buffer.concat(ordered)).toString()) as { short_message: string }
  expect(large.short_message).toMatch(/^[0-9a-f]{16384}$/)

  await using zlib = await collect('udp:12202')
  await say('gelf', { 'gelf-address': 'udp://127.0.0.1:12202', 'gelf-compression-type': 'zlib' }, 'echo deflated')
  await waitFor('a datagram', () => zlib.pieces.length > 0)
  expect(inflateSync(zlib.pieces[0] ?? '').toString()).toContain('"short_message":"deflated"')

  await using stream = await collect('tcp:12203')
  await say('gelf', { 'gelf-address': 'tcp://127.0.0.1:12203' }, 'echo a; echo b >&2')
  await stream.until('"a"', '"b"')
  const messages = stream.text.split('\0').filter(Boolean)
  expect(messages.map((text) => (JSON.parse(text) as { level: number }).level).toSorted()).toEqual([3, 6])
})

test('fluentd gets records of its forward protocol', async () => {
  await using collector = await collect('tcp:24224')
  const options = { 'fluentd-sub-second-precision': 'true', tag: 'docker.{{.Name}}', 'labels-regex': '^com\\.' }
  const id = await say('fluentd', options, 'echo hello', '--name', 'talker', '--label', 'com.x=1', '--label', 'y=2')
  await collector.until('hello')
  const record = { container_id: id, container_name: '/talker', source: 'stdout', log: 'hello', 'com.x': '1' }
  expect(decodeForward(collector)).toEqual([['docker.talker', expect.objectContaining({ type: 0 }), record]])
})

test('a collector that is not there, or dies, holds nobody up and gets everything when it comes', async () => {
  const script = 'for i in 1 2 3; do echo "line $i"; done; read _; echo "the end"'
  const options = { 'gelf-address': 'tcp://127.0.0.1:12210', tag: 'patient' }
  const flags = ['--network', 'none', '-i', '--log-driver', 'gelf', ...optionsOf(options)]
  const created = await daemon.docker('create', ...flags, busybox, 'sh', '-c', script)
  const id = created.stdout.trim()
  await daemon.docker('start', id)
  await waitFor('its output', async () => (await logsOf(id)).includes('line 3'))
  await using collector = await collect('tcp:12210')
  await collector.until('line 1', 'line 2', 'line 3')
  await collector[Symbol.asyncDispose]()

  await daemon.kill9()
  await daemon.start()
  const socket = await daemon.hijack(`/containers/${id}/attach?stream=1&stdin=1`)
  socket.end('\n')
  await daemon.docker('wait', id)
  await using next = await collect('tcp:12210')
  await next.until('the end')
})

test('a daemon that was away sends what was written meanwhile, and little of it twice', async () => {
  const path = join(daemon.directory, 'away')
  await using collector = await startCollector(`stream:${path}`)
  const script = 'for i in 1 2 3 4 5 6 7 8 9; do echo "line $i"; sleep 0.2; done; echo "that was all"'
  const id = await say('syslog', { 'syslog-address': `unix://${path}` }, script)
  await collector.until('line 1\n')
  expect(await daemon.stop()).toBe(0)
  await waitFor('the container ends', async () => !(await daemon.run(['pgrep', '-f', 'that was all'])).stdout)
  await daemon.start()
  await collector.until('that was all')
  const numbers = [...collector.text.matchAll(/line (\d)\n/g)].map(([, number]) => number)
  expect(numbers.join('')).toBe('123456789')
  expect(await logsOf(id)).toContain('line 9')
})

test('what a container that removes itself wrote last still arrives', async () => {
  const path = join(daemon.directory, 'removed')
  await using collector = await startCollector(`datagram:${path}`)
  const flags = [
    '--rm',
    '--network',
    'none',
    '--log-driver',
    'syslog',
    '--log-opt',
    `syslog-address=unixgram://${path}`,
  ]
  expect(await daemon.docker('run', ...flags, busybox, 'echo', 'last words')).toMatchObject({ code: 0 })
  await collector.until('last words')
})

test('details are labels, variables and the tag that the options name, escaped', async () => {
  const options = { labels: 'a,b', 'env-regex': '^V', tag: '{{.Name}}' }
  const more = ['--label', 'a=1 2', '--label', 'c=3', '-e', 'VALUE=x,y=(z)', '--name', 'detailed']
  const id = await say('json-file', options, 'echo hello', ...more)
  await daemon.docker('wait', id)
  expect(await logsOf('--details', id)).toBe('VALUE=x%2Cy%3D%28z%29,a=1+2,tag=detailed hello\n')
  expect(await logsOf(id)).toBe('hello\n')
})

test('local keeps the output, none keeps nothing, and a cache that is switched off cannot be read', async () => {
  const local = await say('local', { 'max-size': '1m' }, 'echo kept')
  await daemon.docker('wait', local)
  expect(await logsOf(local)).toBe('kept\n')
  const unreadable = 'configured logging driver does not support reading'
  const none = await say('none', {}, 'echo gone')
  expect((await daemon.docker('logs', none)).stderr).toContain(unreadable)
  const path = join(daemon.directory, 'uncached')
  await using collector = await startCollector(`datagram:${path}`)
  const uncached = await say(
    'syslog',
    { 'syslog-address': `unixgram://${path}`, 'cache-disabled': 'true' },
    'echo sent',
  )
  await collector.until('sent')
  expect((await daemon.docker('logs', uncached)).stderr).toContain(unreadable)
})

test('a journal that is not there is told at start, in Docker’s words', async () => {
  const flags = ['--rm', '--network', 'none', '--log-driver', 'journald']
  const { code, stderr } = await daemon.docker('run', ...flags, busybox, 'true')
  expect(stderr).toContain(
    'failed to create task for container: failed to initialize logging driver: journald is not enabled on this host',
  )
  expect(code).toBe(125)
})

test('the daemon’s own driver and options are those of containers that name none, or the same', async () => {
  await using other = await startDaemon({ args: ['--log-driver', 'local', '--log-opt', 'max-file=3'] })
  const configOf = async (HostConfig: object) => {
    const { Id } = await other.json('POST', '/containers/create', { Image: busybox, HostConfig })
    return ((await other.json('GET', `/containers/${Id}/json`)).HostConfig as { LogConfig: unknown }).LogConfig
  }
  expect(await configOf({})).toEqual({ Type: 'local', Config: { 'max-file': '3' } })
  expect(await configOf({ LogConfig: { Type: 'local', Config: { 'max-size': '1m' } } })).toEqual({
    Type: 'local',
    Config: { 'max-file': '3', 'max-size': '1m' },
  })
  expect(await configOf({ LogConfig: { Type: 'json-file' } })).toEqual({ Type: 'json-file', Config: {} })
  expect(await other.json('GET', '/info')).toMatchObject({ LoggingDriver: 'local' })
})
