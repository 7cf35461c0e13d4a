import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { expect, test } from 'vitest'
import { parseLogOptions } from '#containers/logs/log-options.ts'
import { journald } from '#containers/logs/remote/journald.ts'
import { syslog } from '#containers/logs/remote/syslog.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { makeCertificate } from '#test/support/tls.ts'
import { waitFor } from '#test/support/wait-for.ts'

const plan = (driver: string, options: Record<string, string> = {}) => parseLogOptions({ driver, options })

/** As dockerd 28.5 answers. */
test.each([
  ['syslog', { x: '1' }, "unknown log opt 'x' for syslog log driver"],
  ['syslog', { 'max-size': '1m' }, "unknown log opt 'max-size' for syslog log driver"],
  ['syslog', { 'syslog-address': 'foo' }, "unsupported scheme: ''"],
  ['syslog', { 'syslog-address': 'http://a' }, "unsupported scheme: 'http'"],
  ['syslog', { 'syslog-address': 'unix:///nonexist' }, 'stat /nonexist: no such file or directory'],
  ['syslog', { 'syslog-facility': 'bad' }, 'invalid syslog facility'],
  ['syslog', { 'syslog-facility': '33' }, 'invalid syslog facility'],
  ['syslog', { 'syslog-format': 'bad' }, 'Invalid syslog format'],
  ['syslog', { mode: 'x' }, 'logger: logging mode not supported: x'],
  ['gelf', {}, 'gelf-address is a required parameter'],
  ['gelf', { 'gelf-address': 'foo' }, 'gelf: endpoint needs to be TCP or UDP'],
  ['gelf', { 'gelf-address': 'unix:///a' }, 'gelf: endpoint needs to be TCP or UDP'],
  ['gelf', { 'gelf-address': 'udp://a' }, 'gelf: please provide gelf-address as proto://host:port'],
  ['gelf', { 'gelf-address': 'udp://a:1', x: '1' }, 'unknown log opt "x" for gelf log driver'],
  [
    'gelf',
    { 'gelf-address': 'udp://a:1', 'gelf-compression-type': 'x' },
    'unknown value "x" for log opt "gelf-compression-type" for gelf log driver',
  ],
  [
    'gelf',
    { 'gelf-address': 'udp://a:1', 'gelf-compression-level': '99' },
    'unknown value "99" for log opt "gelf-compression-level" for gelf log driver',
  ],
  ['gelf', { 'gelf-address': 'tcp://a:1', 'gelf-compression-level': '1' }, 'compression is only supported on UDP'],
  [
    'gelf',
    { 'gelf-address': 'tcp://a:1', 'gelf-tcp-max-reconnect': '-1' },
    '"gelf-tcp-max-reconnect" must be a positive integer',
  ],
  [
    'gelf',
    { 'gelf-address': 'udp://a:1', 'gelf-tcp-max-reconnect': '1' },
    '"gelf-tcp-max-reconnect" is only valid for TCP',
  ],
  ['fluentd', { x: '1' }, "unknown log opt 'x' for fluentd log driver"],
  ['fluentd', { 'fluentd-address': 'http://a' }, "invalid fluentd-address (http://a): unsupported scheme: 'http'"],
  [
    'fluentd',
    { 'fluentd-address': 'a:b' },
    'invalid fluentd-address (a:b): parse "tcp://a:b": invalid port ":b" after host',
  ],
  [
    'fluentd',
    { 'fluentd-address': 'tcp://127.0.0.1:1/path' },
    'invalid fluentd-address (tcp://127.0.0.1:1/path): should not contain a path element',
  ],
  ['fluentd', { 'fluentd-address': 'unix://' }, 'invalid fluentd-address (unix://): path is empty'],
  ['fluentd', { 'fluentd-buffer-limit': 'x' }, "invalid size: 'x'"],
  ['fluentd', { 'fluentd-retry-wait': 'x' }, 'time: invalid duration "x"'],
  ['fluentd', { 'fluentd-max-retries': 'x' }, 'strconv.ParseUint: parsing "x": invalid syntax'],
  ['fluentd', { 'fluentd-async': 'x' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
  [
    'fluentd',
    { 'fluentd-write-timeout': 'x' },
    'invalid value for fluentd-write-timeout: value must be a duration: time: invalid duration "x"',
  ],
  ['journald', { x: '1' }, "unknown log opt 'x' for journald log driver"],
  ['local', { labels: 'a' }, "unknown log opt 'labels' for log driver local"],
  ['nope', {}, 'error looking up logging plugin nope: plugin "nope" not found'],
])('%s refuses %o', (driver, options, message) => {
  expect(() => plan(driver, options as Record<string, string>)).toThrow(
    expect.objectContaining({ kind: 'invalid', message }),
  )
})

test('what cannot be done is said, not left out', () => {
  expect(plan('json-file', { compress: 'true', 'max-size': '1m', 'max-file': '2' })).toMatchObject({ compress: true })
  expect(plan('local')).toMatchObject({ compress: true })
  for (const options of [{ compress: 'false' }, { 'max-file': '1' }]) {
    expect(plan('local', options)).toMatchObject({ compress: false })
  }
  for (const options of [{}, { 'max-size': '1m' }, { 'max-file': '3' }]) {
    expect(() => plan('json-file', { compress: 'true', ...options })).toThrow(
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    )
  }
  expect(() => plan('awslogs')).toThrow(expect.objectContaining({ kind: 'not-implemented' }))
  expect(() => plan('syslog', { 'labels-regex': '(' })).toThrow('is no regular expression')
})

test('files are as large as asked for, those behind collectors as Docker’s caches', () => {
  expect(plan('')).toEqual({ driver: 'json-file', maxBytes: 0, maxFiles: 1, compress: false })
  expect(plan('json-file', { 'max-size': '1m', 'max-file': '3', tag: 'x' })).toEqual({
    ...{ driver: 'json-file', maxBytes: 1 << 20, maxFiles: 3, compress: false },
  })
  expect(plan('local')).toEqual({ driver: 'json-file', maxBytes: 20 << 20, maxFiles: 5, compress: true })
  expect(plan('journald', { 'cache-max-size': '1m', 'cache-max-file': '2' })).toEqual({
    ...{ driver: 'json-file', maxBytes: 1 << 20, maxFiles: 2, compress: true },
  })
})

const facts = {
  ...{ id: 'ab'.repeat(32), name: 'web', imageId: 'sha256:x', imageName: 'app:1', createdAt: 0n, command: 'sh' },
  ...{ tag: 'abababababab', attributes: { 'com.example-x': 'two\nlines', _: 'no name' } },
}
const unused = { connectDatagram: () => -1, send: () => undefined, close: () => undefined }

test('the journal gets fields, those with newlines with their size', async () => {
  const sent: Buffer[] = []
  const sender = journald.open({
    options: {},
    facts,
    sockets: {
      connectDatagram: (path) => path.length,
      send: (_, datagram) => void sent.push(Buffer.from(datagram)),
      close: () => undefined,
    },
  })
  const entry = { stream: 'stderr', time: 1_700_000_000_120_000_000n, line: Buffer.from('cut') } as const
  await sender.send([entry], new AbortController().signal)
  expect(String(sent[0])).toBe(
    `CONTAINER_ID=abababababab\nCONTAINER_ID_FULL=${'ab'.repeat(32)}\nCONTAINER_NAME=web\nCONTAINER_TAG=abababababab\n` +
      'IMAGE_NAME=app:1\nSYSLOG_IDENTIFIER=abababababab\nCOM_EXAMPLE_X\n\x09\0\0\0\0\0\0\0two\nlines\n' +
      'PRIORITY=3\nSYSLOG_TIMESTAMP=2023-11-14T22:13:20.12Z\nCONTAINER_PARTIAL_MESSAGE=true\nMESSAGE=cut\n',
  )
})

test('syslog over TLS checks the collector’s certificate, unless told not to', async () => {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDirectory('berth-syslog-tls-'))
  const { cert, key, certFile: ca } = await makeCertificate(path)
  let received = ''
  const server = createServer({ cert, key }, (socket) => {
    socket.on('data', (chunk) => {
      received += String(chunk)
    })
  })
  server.on('tlsClientError', () => undefined)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stack.defer(() => void server.close())
  const { port } = server.address() as AddressInfo
  const send = async (options: Record<string, string>) => {
    const entry = { stream: 'stdout', time: 0n, line: Buffer.from('secret\n') } as const
    const address = { 'syslog-address': `tcp+tls://127.0.0.1:${port}` }
    const sender = syslog.open({ options: { ...address, ...options }, facts, sockets: unused })
    await sender.send([entry], new AbortController().signal).finally(() => sender.close())
  }
  await expect(send({})).rejects.toThrow(/self-signed certificate|unable to verify/)
  expect(received).toBe('')
  await send({ 'syslog-tls-ca-cert': ca })
  await send({ 'syslog-tls-skip-verify': 'true' })
  await waitFor('two messages', () => received.match(/secret\n/g)?.length === 2)
})
