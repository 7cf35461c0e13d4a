import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { conflict, notFound } from '#base/errors.ts'
import type { Container } from '#containers/container.ts'
import type { AttachFlags } from '#containers/ports.ts'
import type { ExecView } from '#engine/engine.ts'
import { type Parts, serve } from './stand-in.ts'

/** The near side of a process: what the client sends comes out of `stdin`, what is pushed goes to the client. */
class Process extends Duplex {
  readonly input: Buffer[] = []
  stdinEnded = false

  constructor() {
    super({ allowHalfOpen: true })
  }

  override _read(): void {}

  override _write(bytes: Buffer, _: string, done: () => void): void {
    this.input.push(bytes)
    this.emit('input')
    done()
  }

  override _final(done: () => void): void {
    this.stdinEnded = true
    this.emit('stdin-end')
    done()
  }

  get text(): string {
    return Buffer.concat(this.input).toString()
  }

  async received(text: string): Promise<void> {
    while (!this.text.includes(text)) await once(this, 'input')
  }
}

const container = (tty: boolean): Container => ({ config: { tty } }) as Container

function attachable(process: Process, { tty = false } = {}): Parts & { flags: AttachFlags[] } {
  const flags: AttachFlags[] = []
  return {
    flags,
    containers: {
      get: () => container(tty),
      attach: async (_, asked) => {
        flags.push(asked)
        return { stream: process, tty }
      },
    },
  }
}

const execView = (attach: boolean): ExecView => ({
  id: 'e1',
  containerId: 'c1',
  running: false,
  exitCode: null,
  pid: 0,
  entrypoint: 'cat',
  arguments: [],
  request: {
    cmd: ['cat'],
    env: [],
    user: '',
    workingDir: '',
    tty: false,
    privileged: false,
    attachStdin: attach,
    attachStdout: attach,
    attachStderr: attach,
    detachKeys: '',
    consoleSize: undefined,
  },
})

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n'
const attachLine = 'POST /v1.51/containers/c1/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n'

test('with Upgrade the answer is 101, frames are announced, and bytes flow both ways', async () => {
  const process = new Process()
  const parts = attachable(process)
  await using wire = await serve(parts)
  const client = await wire.connect()
  client.send(`${attachLine}${upgrade}Content-Length: 0\r\n\r\n`)
  const { line, headers } = await client.head()
  expect(line).toBe('HTTP/1.1 101 UPGRADED')
  expect(headers).toEqual({
    'content-type': 'application/vnd.docker.multiplexed-stream',
    connection: 'Upgrade',
    upgrade: 'tcp',
  })
  client.send('question')
  await process.received('question')
  process.push('answer')
  expect((await client.bytes(6)).toString()).toBe('answer')
  expect(parts.flags).toEqual([{ stdin: true, stdout: true, stderr: false, framed: true }])
})

test('before 1.42, and for terminals, the stream is announced as raw', async () => {
  await using wire = await serve(attachable(new Process(), { tty: true }))
  const client = await wire.connect()
  client.send(`${attachLine}${upgrade}\r\n`)
  expect((await client.head()).headers['content-type']).toBe('application/vnd.docker.raw-stream')

  await using older = await serve(attachable(new Process()))
  const old = await older.connect()
  old.send(`${attachLine.replace('v1.51', 'v1.41')}${upgrade}\r\n`)
  expect((await old.head()).headers['content-type']).toBe('application/vnd.docker.raw-stream')
})

test('without Upgrade the answer is 200 with raw bytes behind it, no length and no chunks', async () => {
  const process = new Process()
  await using wire = await serve(attachable(process))
  const client = await wire.connect()
  client.send(`${attachLine}\r\n`)
  const { line, headers } = await client.head()
  expect(line).toBe('HTTP/1.1 200 OK')
  expect(headers).toEqual({ 'content-type': 'application/vnd.docker.raw-stream' })
  client.send('in')
  await process.received('in')
  process.push('out')
  expect((await client.bytes(3)).toString()).toBe('out')
})

test('a pooled connection that served other requests can still be taken over', async () => {
  const process = new Process()
  await using wire = await serve(attachable(process))
  const client = await wire.connect()
  for (const _ of [1, 2]) expect((await client.request('GET', '/_ping')).body).toBe('OK')
  client.send(`${attachLine}\r\n`)
  await client.head()
  client.send('GET /_ping HTTP/1.1\r\n\r\n')
  await process.received('GET /_ping HTTP/1.1\r\n\r\n')
})

test('a client that closes its write side ends stdin only; output goes on', async () => {
  for (const header of [upgrade, '']) {
    const process = new Process()
    await using wire = await serve(attachable(process))
    const client = await wire.connect()
    client.send(`${attachLine}${header}\r\n`)
    await client.head()
    client.socket.end('last words')
    if (!process.stdinEnded) await once(process, 'stdin-end')
    expect(process.text).toBe('last words')
    process.push('still here')
    expect((await client.bytes(10)).toString()).toBe('still here')
    process.push('bye')
    process.push(null)
    expect(await client.rest()).toBe('bye')
  }
})

test('the connection is closed both ways when the process has ended, though the client keeps its side open', async () => {
  const process = new Process()
  await using wire = await serve(attachable(process))
  const client = await wire.connect()
  client.send(`${attachLine}${upgrade}\r\n`)
  await client.head()
  process.push('done')
  process.push(null)
  expect(await client.rest()).toBe('done')
  const sending = setInterval(() => client.socket.write('x'), 20)
  const [error] = (await once(client.socket, 'error')) as [NodeJS.ErrnoException]
  clearInterval(sending)
  expect(error.code).toMatch(/EPIPE|ECONNRESET/)
})

test('a client that closes its write side and then goes away wholly releases the process', async () => {
  const process = new Process()
  await using wire = await serve(attachable(process))
  const client = await wire.connect()
  client.send(`${attachLine}${upgrade}\r\n`)
  await client.head()
  client.socket.end()
  if (!process.stdinEnded) await once(process, 'stdin-end')
  const closed = once(process, 'close')
  client.socket.destroy()
  await closed
})

test('an attach that cannot be is told on the connection that was taken over: a status, a line of text, the end', async () => {
  await using wire = await serve({
    containers: {
      get: (name) => {
        throw notFound(`No such container: ${name}`)
      },
    },
  })
  const client = await wire.connect()
  client.send(`${attachLine}${upgrade}\r\n`)
  const { line, headers } = await client.head()
  expect(line).toBe('HTTP/1.1 404 Not Found')
  expect(headers).toEqual({ 'content-type': 'application/vnd.docker.raw-stream' })
  expect(await client.rest()).toBe('No such container: c1\r\n')

  await using paused = await serve({
    containers: {
      get: () => container(false),
      attach: () => Promise.reject(conflict('container c1 is paused, unpause the container before attach')),
    },
  })
  const other = await paused.connect()
  other.send(`${attachLine}\r\n`)
  expect((await other.head()).line).toBe('HTTP/1.1 409 Conflict')
  expect(await other.rest()).toBe('container c1 is paused, unpause the container before attach\r\n')
})

const starts = (process: Process | Error): Parts => ({
  containers: {
    execInspect: () => execView(true),
    execStart: async () => {
      if (process instanceof Error) throw process
      return { stream: process, tty: false }
    },
  },
})

test.each([
  ['a length', 'Content-Length: 15\r\n\r\n{"Detach":false}'.replace('15', '16')],
  ['chunks', 'Transfer-Encoding: chunked\r\n\r\n8\r\n{"Detach\r\n8\r\n":false}\r\n0\r\n\r\n'],
])('the body of exec start, told by %s, is not fed to the process, though input follows at once', async (_, rest) => {
  for (const header of [upgrade, '']) {
    const process = new Process()
    await using wire = await serve(starts(process))
    const client = await wire.connect()
    const type = 'Content-Type: application/json\r\n'
    client.send(`POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${type}${header}${rest}echo hi\n`)
    await client.head()
    client.send('exit\n')
    await process.received('exit\n')
    expect(process.text).toBe('echo hi\nexit\n')
  }
})

test.each([
  ['with Upgrade', upgrade],
  ['without', ''],
])(
  '%s, a body of exec start that comes in pieces, input in the same piece as its end, is told apart',
  async (_, header) => {
    const process = new Process()
    await using wire = await serve(starts(process))
    const client = await wire.connect()
    client.socket.setNoDelay(true)
    const pieces = ['Content-Length: 16\r\n\r\n', '{"Detach"', ':false}echo hi\n']
    client.send(`POST /exec/e1/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${header}`)
    for (const piece of pieces) {
      // Each piece is to be a read of its own: the server's loop turns several times in between.
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
      client.send(piece)
    }
    await client.head()
    client.send('exit\n')
    await process.received('exit\n')
    expect(process.text).toBe('echo hi\nexit\n')
  },
)

test('an exec that does not start is told in the stream, framed, as the docker CLI expects', async () => {
  await using wire = await serve(starts(new Error('OCI runtime exec failed: no such file')))
  const client = await wire.connect()
  const body = '{"Detach":false,"Tty":false}'
  client.send(
    `POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  expect((await client.head()).status).toBe(101)
  expect(await client.rest()).toBe('\x01\0\0\0\0\0\0\x27OCI runtime exec failed: no such file\r\n')
})

test('the head is out before the exec is started: what comes together with it is lost on docker-py', async () => {
  const started = Promise.withResolvers<void>()
  const head = Promise.withResolvers<void>()
  await using wire = await serve({
    containers: {
      execInspect: () => execView(true),
      execStart: async () => {
        started.resolve()
        await head.promise
        return undefined
      },
    },
  })
  const client = await wire.connect()
  client.send(`POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`)
  expect((await client.head()).headers).toMatchObject({
    'api-version': '1.51',
    ostype: 'linux',
    server: expect.stringMatching('^Docker/'),
  })
  await started.promise
  head.resolve()
  expect(await client.rest()).toBe('')
})

test('an unknown exec is a plain 404, and a detached failure a plain error', async () => {
  await using wire = await serve({
    containers: {
      execInspect: (id) => {
        if (id === 'zz') throw notFound(`No such exec instance: ${id}`)
        return execView(true)
      },
      execStart: () => Promise.reject(conflict('exec command e1 is already running')),
    },
  })
  const client = await wire.connect()
  expect((await client.request('POST', '/exec/zz/start', {})).status).toBe(404)
  const { status, body } = await client.request('POST', '/exec/e1/start', { Detach: true })
  expect([status, body]).toEqual([409, '{"message":"exec command e1 is already running"}\n'])
})

test.each([
  ['with Upgrade', upgrade],
  ['without', ''],
])('a client that goes away while its exec is being started, %s, does not stay connected', async (_, header) => {
  const process = new Process()
  const started = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const view = execView(true)
  await using wire = await serve({
    containers: {
      execInspect: () => ({ ...view, request: { ...view.request, attachStdin: false } }),
      execStart: async () => {
        started.resolve()
        await opened.promise
        return { stream: process, tty: false }
      },
    },
  })
  const client = await wire.connect()
  client.send(`POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${header}\r\n`)
  await client.head()
  await started.promise
  client.socket.destroy()
  // What came before this answer has been seen by the server: also that the client has gone.
  await (await wire.connect()).request('GET', '/_ping')
  const closed = once(process, 'close')
  opened.resolve()
  await closed
})

test('an exec without any stream runs detached, and the connection ends at once', async () => {
  const detached: boolean[] = []
  await using wire = await serve({
    containers: {
      execInspect: () => execView(false),
      execStart: async (_, { detach }) => {
        detached.push(detach)
        return undefined
      },
    },
  })
  const client = await wire.connect()
  client.send(`POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`)
  expect((await client.head()).status).toBe(101)
  expect(await client.rest()).toBe('')
  expect(detached).toEqual([true])
})

test('a fast process does not outrun a slow client', async () => {
  const process = new Process()
  await using wire = await serve(attachable(process))
  const client = await wire.connect()
  client.send(`${attachLine}${upgrade}\r\n`)
  await client.head()
  client.socket.pause()
  const block = Buffer.alloc(64 << 10)
  let pushed = 0
  while (process.push(block) && pushed < 1000) {
    pushed += 1
    await new Promise(setImmediate)
  }
  expect(pushed).toBeLessThan(100)
})
