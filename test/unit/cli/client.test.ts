import { expect, test } from 'vitest'
import { Client, readJsonLines } from '#cli/client/client.ts'
import { addressOf } from './memory-cli.ts'
import { serveRecorded } from './recorded-server.ts'

const answer = (status: number, body: string): string =>
  `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

test('an answer is read although the head comes byte by byte', async () => {
  await using server = await serveRecorded((socket) => {
    const bytes = Buffer.from(answer(200, '{"a":1}'))
    const next = (at: number): void => {
      if (at === bytes.length) socket.end()
      else socket.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1))
    }
    next(0)
  })
  expect(await server.client.json('GET', '/x')).toEqual({ a: 1 })
})

test('informational answers are passed over', async () => {
  await using server = await serveRecorded((socket) => {
    socket.end(`HTTP/1.1 100 Continue\r\n\r\n${answer(200, '[]')}`)
  })
  expect(await server.client.json('POST', '/x', { body: {} })).toEqual([])
})

test.each([
  [404, 'not-found'],
  [409, 'conflict'],
  [400, 'invalid'],
  [500, 'internal'],
  [503, 'unavailable'],
])("a %i becomes an error of kind %s in the engine's words", async (status, kind) => {
  await using server = await serveRecorded((socket) => socket.end(answer(status, '{"message":"No such thing"}')))
  await expect(server.client.json('GET', '/x')).rejects.toMatchObject({
    kind,
    message: 'Error response from daemon: No such thing',
  })
})

test('"not modified" is success', async () => {
  await using server = await serveRecorded((socket) => socket.end('HTTP/1.1 304 Not Modified\r\n\r\n'))
  await server.client.send('POST', '/containers/x/start')
})

test('an older engine names its version, which is used from then on', async () => {
  await using server = await serveRecorded((socket, request) => {
    if (request.startsWith('GET /v1.41/')) socket.end(answer(200, '[]'))
    else {
      const message = 'client version 1.51 is too new. Maximum supported API version is 1.41'
      socket.end(answer(400, JSON.stringify({ message })))
    }
  })
  await server.client.json('GET', '/a')
  await server.client.json('GET', '/b')
  expect(server.requests).toEqual(['GET /v1.51/a HTTP/1.1', 'GET /v1.41/a HTTP/1.1', 'GET /v1.41/b HTTP/1.1'])
})

test('bytes behind the head of an upgrade belong to the stream', async () => {
  await using server = await serveRecorded((socket) => {
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly ')
    socket.on('data', (bytes) => socket.write(bytes))
    // The client's end of writing is heard, and the answer to it still arrives.
    socket.on('end', () => socket.end('late'))
  })
  const { socket } = await server.client.hijack('/containers/x/attach')
  socket.end('input ')
  const parts: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) parts.push(chunk)
  expect(Buffer.concat(parts).toString()).toBe('early input late')
})

test('who stops reading early closes the connection', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  await using server = await serveRecorded((socket) => {
    socket.once('end', () => resolve())
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
  })
  const { body } = await server.client.stream('GET', '/events')
  for await (const part of body) {
    expect(part.toString()).toBe('one')
    break
  }
  await closed
})

test('an answer that breaks off is an error', async () => {
  await using server = await serveRecorded((socket) => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a"')
  })
  await expect(server.client.json('GET', '/x')).rejects.toThrow('unexpected EOF')
})

test('an engine that hangs up without a word is an error', async () => {
  await using server = await serveRecorded((socket) => socket.end())
  await expect(server.client.json('GET', '/x')).rejects.toThrow('closed the connection without an answer')
})

test('an engine that is not there is told with its address and a way out', async () => {
  using client = new Client({ address: addressOf('unix:///nowhere/berth.sock'), program: 'berth' })
  await expect(client.json('GET', '/x')).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'Cannot connect to the Berth daemon at unix:///nowhere/berth.sock. Is the berth daemon running?',
  })
})

test('lines of JSON may be cut anywhere, also within a letter', async () => {
  const bytes = Buffer.from('{"a":"é"}\r\n\r\n{"a":"b"}\n{"a":"c"}')
  async function* bytewise(): AsyncGenerator<Buffer> {
    for (const byte of bytes) yield Buffer.of(byte)
  }
  const values: unknown[] = []
  for await (const value of readJsonLines(bytewise())) values.push(value)
  expect(values).toEqual([{ a: 'é' }, { a: 'b' }, { a: 'c' }])
})

test('disposing the client drops what is still open', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  await using server = await serveRecorded((socket) => {
    socket.once('end', () => resolve())
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
  })
  const { body } = await server.client.stream('GET', '/events')
  server.client[Symbol.dispose]()
  await closed
  await body.return()
})

test('a request body is sent with its length', async () => {
  const seen: string[] = []
  await using server = await serveRecorded((socket, request) => {
    seen.push(request)
    const whole = (): boolean => seen.join('').includes('{"Cmd":["é"]}')
    const reply = (): void => void (whole() && socket.end(answer(201, '{}')))
    socket.on('data', (bytes) => {
      seen.push(String(bytes))
      reply()
    })
    reply()
  })
  await server.client.json('POST', '/containers/create', { body: { Cmd: ['é'] } })
  expect(seen.join('')).toContain('Content-Length: 14\r\n')
})

test('headers of the configuration go with every request', async () => {
  const seen: string[] = []
  await using server = await serveRecorded((socket, request) => {
    seen.push(request)
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
  })
  using client = new Client({ address: server.client.address, program: 'berth', headers: { 'X-Team': 'a b' } })
  await client.json('GET', '/x')
  await client.send('POST', '/y', { headers: { 'X-Own': 'c' } })
  expect(seen.map((request) => request.includes('\r\nX-Team: a b\r\n'))).toEqual([true, true])
  expect(seen[1]).toContain('\r\nX-Own: c\r\n')
})
