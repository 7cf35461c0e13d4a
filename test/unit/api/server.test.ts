import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { Router } from '#api/router.ts'
import { allRoutes } from '#api/routes/all.ts'
import { conflict, notModified } from '#base/errors.ts'
import type { Container } from '#containers/container.ts'
import type { CreateRequest, LogEntry, LogRequest } from '#engine/engine.ts'
import type { EngineEvent } from '#events/event.ts'
import type { PullProgress, PullRequest } from '#images/transfer/progress.ts'
import { serve } from './stand-in.ts'

describe('the router', () => {
  const router = new Router(allRoutes)
  const templateOf = (method: string, path: string) => router.find(method, path)?.route.template

  test('knows every operation of openapi.yaml', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../src/contract/openapi.yaml'), 'utf8')
    const { paths } = parse(text, { merge: true }) as { paths: Record<string, Record<string, unknown>> }
    const unknown = Object.entries(paths).flatMap(([template, methods]) =>
      Object.keys(methods)
        .filter((method) => templateOf(method.toUpperCase(), template.replaceAll(/\{\w+\}/g, 'x')) !== template)
        .map((method) => `${method} ${template}`),
    )
    expect(unknown).toEqual([])
  })

  test('lets names of images hold slashes', () => {
    expect(router.find('GET', '/images/127.0.0.1:5000/a/b:c/json')).toMatchObject({
      route: { template: '/images/{name}/json' },
      path: { name: '127.0.0.1:5000/a/b:c' },
    })
    expect(templateOf('DELETE', '/images/a/b')).toBe('/images/{name}')
    expect(templateOf('GET', '/images/json')).toBe('/images/json')
    expect(templateOf('GET', '/containers/a/b/json')).toBeUndefined()
  })
})

test('ping tells what clients negotiate by, with and without body', async () => {
  await using wire = await serve({})
  const client = await wire.connect()
  const get = await client.request('GET', '/_ping')
  expect([get.status, get.body]).toEqual([200, 'OK'])
  const head = await client.request('HEAD', '/v1.30/_ping')
  expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '0' } })
  for (const { headers } of [get, head]) {
    expect(headers).toMatchObject({
      'api-version': '1.51',
      'builder-version': '1',
      'docker-experimental': 'false',
      ostype: 'linux',
      server: 'Docker/1.2.3 (linux)',
      swarm: 'inactive',
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      'content-type': 'text/plain; charset=utf-8',
    })
  }
})

test('version names the engine, its API and its parts', async () => {
  await using wire = await serve({})
  const client = await wire.connect()
  const { body } = await client.request('GET', '/v1.24/version')
  expect(JSON.parse(body)).toMatchObject({
    Version: '1.2.3',
    ApiVersion: '1.51',
    MinAPIVersion: '1.24',
    Os: 'linux',
    Arch: 'amd64',
    Components: [{ Name: 'Engine' }, { Name: 'berth-runtime' }],
  })
})

test.each([
  ['GET', '/nope', 404, 'page not found'],
  ['DELETE', '/info', 404, 'page not found'],
  ['GET', '/vx/info', 404, 'page not found'],
  ['GET', '/v9.9/info', 400, 'client version 9.9 is too new. Maximum supported API version is 1.51'],
  [
    'GET',
    '/v1.41/swarm',
    503,
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  ],
  ['POST', '/build', 501, 'building images: Berth does not do this yet'],
  ['GET', '/containers/json?filters=x', 400, 'invalid filter'],
  ['GET', '/containers/%zz/json', 400, 'the path /containers/%zz/json is not properly escaped'],
])('%s %s answers %i', async (method, path, status, message) => {
  await using wire = await serve({})
  const answer = await (await wire.connect()).request(method, path)
  expect([answer.status, JSON.parse(answer.body)]).toEqual([status, { message }])
  expect(answer.headers['content-type']).toBe('application/json')
})

test('a client too old for JSON errors is told in plain text', async () => {
  await using wire = await serve({})
  const { status, headers, body } = await (await wire.connect()).request('GET', '/v1.12/info')
  expect([status, headers['content-type'], body]).toEqual([
    400,
    'text/plain; charset=utf-8',
    'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n',
  ])
})

test('lists that Berth cannot fill yet are empty, not errors', async () => {
  await using wire = await serve({})
  const client = await wire.connect()
  expect((await client.request('GET', '/plugins')).body).toBe('[]\n')
})

test('paths with doubled slashes are redirected, and OPTIONS is answered', async () => {
  await using wire = await serve({})
  const client = await wire.connect()
  const moved = await client.request('GET', '//containers/json?all=1')
  expect([moved.status, moved.headers.location]).toEqual([301, '/containers/json?all=1'])
  expect((await client.request('OPTIONS', '/x')).status).toBe(200)
})

describe('create', () => {
  async function create(body: unknown, query = '', header = 'application/json') {
    const requests: CreateRequest[] = []
    await using wire = await serve({
      containers: {
        create: async (request) => {
          requests.push(request)
          return { id: 'c1', warnings: [] }
        },
      },
    })
    const client = await wire.connect()
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const type = header === '' ? '' : `Content-Type: ${header}\r\n`
    client.send(
      `POST /containers/create${query} HTTP/1.1\r\nHost: x\r\n${type}Content-Length: ${text.length}\r\n\r\n${text}`,
    )
    return { answer: await client.answer('POST'), requests }
  }

  test('hands name, platform and both halves to the engine, and answers 201 with warnings that are a list', async () => {
    const { answer, requests } = await create(
      { Image: 'bb', HostConfig: { Memory: 6 } },
      '?name=web&platform=linux/amd64',
    )
    expect([answer.status, answer.body]).toEqual([201, '{"Id":"c1","Warnings":[]}\n'])
    expect(requests).toMatchObject([
      { name: 'web', platform: 'linux/amd64', config: { image: 'bb' }, host: { memoryBytes: 6 } },
    ])
  })

  test.each([
    ['', 'application/json', 'invalid JSON: got EOF while reading request body'],
    ['{', 'application/json', 'invalid JSON: unexpected EOF'],
    [
      '{"Tty":1}',
      'application/json; charset=utf-8',
      'invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Tty of type bool',
    ],
    ['{}', 'text/plain', "unsupported Content-Type header (text/plain): must be 'application/json'"],
    ['{}', '', 'malformed Content-Type header (): mime: no media type'],
    ['null', 'application/json', 'config cannot be empty in order to create a container'],
  ])('%s as "%s" is 400', async (body, header, message) => {
    const { answer, requests } = await create(body, '', header)
    expect([answer.status, JSON.parse(answer.body), requests]).toEqual([400, { message }, []])
  })

  test('a body beyond the limit is refused with 413', async () => {
    const { answer } = await create(JSON.stringify({ Image: 'x'.repeat(17 << 20) }))
    expect(answer.status).toBe(413)
  })
})

test('304 has no body, 409 has one, and the connection lives on', async () => {
  await using wire = await serve({
    containers: {
      start: () => Promise.reject(notModified('container c1 is running')),
      remove: () => Promise.reject(conflict('cannot remove container "c1": container is running')),
    },
  })
  const client = await wire.connect()
  const start = await client.request('POST', '/containers/c1/start')
  expect([start.status, start.body, start.headers['content-type']]).toEqual([304, '', undefined])
  const remove = await client.request('DELETE', '/containers/c1')
  expect([remove.status, remove.body]).toEqual([
    409,
    '{"message":"cannot remove container \\"c1\\": container is running"}\n',
  ])
  expect((await client.request('GET', '/_ping')).status).toBe(200)
})

/** Reads a chunked body's first chunk. */
async function chunk(client: { head(): Promise<unknown>; bytes(count: number): Promise<Buffer> }): Promise<string> {
  let size = ''
  while (!size.endsWith('\r\n')) size += (await client.bytes(1)).toString()
  const text = (await client.bytes(Number.parseInt(size, 16))).toString('latin1')
  await client.bytes(2)
  return text
}

/** Reads a whole chunked body. */
async function chunks(client: Parameters<typeof chunk>[0]): Promise<string> {
  let text = ''
  for (;;) {
    const next = await chunk(client)
    if (next === '') return text
    text += next
  }
}

describe('wait', () => {
  test('sends its headers before the container ends, and then one object', async () => {
    const exit = Promise.withResolvers<{ code: number; error: string | undefined }>()
    const conditions: string[] = []
    await using wire = await serve({
      containers: {
        wait: async (_, condition) => {
          conditions.push(condition)
          return { exit: exit.promise }
        },
      },
    })
    const client = await wire.connect()
    client.send('POST /containers/c1/wait?condition=removed HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await client.head()).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
    exit.resolve({ code: 42, error: undefined })
    expect(await chunk(client)).toBe('{"StatusCode":42}\n')
    expect(conditions).toEqual(['removed'])
  })

  test('refuses a condition it does not know', async () => {
    await using wire = await serve({})
    const { status, body } = await (await wire.connect()).request('POST', '/containers/c1/wait?condition=foo')
    expect([status, body]).toEqual([400, '{"message":"invalid condition: \\"foo\\""}\n'])
  })

  test('is given up when the client goes away', async () => {
    const waits: AbortSignal[] = []
    await using wire = await serve({
      containers: {
        wait: async (_, __, signal) => {
          waits.push(signal)
          return { exit: Promise.withResolvers<never>().promise }
        },
      },
    })
    const client = await wire.connect()
    client.send('POST /containers/c1/wait HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.head()
    const [signal] = waits
    if (!signal) throw new Error('the wait did not reach the engine')
    const aborted = once(signal, 'abort')
    client.socket.destroy()
    await aborted
  })
})

describe('logs', () => {
  const entries: LogEntry[] = [
    { stream: 'stdout', time: 1_700_000_000_120_000_000n, line: Buffer.from('one\n') },
    { stream: 'stderr', time: 1_700_000_001_000_000_000n, line: Buffer.from('two\n') },
  ]

  async function logs(query: string, { tty = false, version = 'v1.51' } = {}) {
    const requests: LogRequest[] = []
    await using wire = await serve({
      containers: {
        get: () => ({ config: { tty } }) as Container,
        logs: async (_, request) => {
          requests.push(request)
          return (async function* () {
            yield entries
          })()
        },
      },
    })
    const client = await wire.connect()
    client.send(`GET /${version}/containers/c1/logs?${query} HTTP/1.1\r\nHost: x\r\n\r\n`)
    const { status, headers } = await client.head()
    const text = status === 200 ? await chunks(client) : ''
    return { status, type: headers['content-type'], text, requests }
  }

  test('of a container without terminal are framed', async () => {
    const { type, text } = await logs('stdout=1&stderr=1')
    expect(type).toBe('application/vnd.docker.multiplexed-stream')
    expect(text).toBe('\x01\0\0\0\0\0\0\x04one\n\x02\0\0\0\0\0\0\x04two\n')
    expect((await logs('stdout=1', { version: 'v1.41' })).type).toBe('application/vnd.docker.raw-stream')
  })

  test('of a terminal are raw; timestamps have nine digits', async () => {
    const { type, text } = await logs('stdout=1&timestamps=1', { tty: true })
    expect(type).toBe('application/vnd.docker.raw-stream')
    expect(text).toBe('2023-11-14T22:13:20.120000000Z one\n2023-11-14T22:13:21.000000000Z two\n')
  })

  test('pass on what was asked: fractions, tail, and 0 for no limit', async () => {
    const { requests } = await logs('stdout=1&follow=1&since=1700000000.5&until=0&tail=5')
    expect(requests).toEqual([
      { stdout: true, stderr: false, follow: true, tail: 5, since: 1_700_000_000_500_000_000n, until: undefined },
    ])
    expect((await logs('stdout=1&tail=all')).requests[0]?.tail).toBeUndefined()
  })

  test('need a stream to be chosen', async () => {
    expect((await logs('follow=1')).status).toBe(400)
  })
})

test('the event stream is subscribed before its headers are out', async () => {
  const subscriptions: AbortSignal[] = []
  const queue = new PassThrough({ objectMode: true })
  await using wire = await serve({
    events: {
      subscribe: (_, signal) => {
        subscriptions.push(signal)
        return queue
      },
    },
  })
  const client = await wire.connect()
  client.send('GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.head()
  expect(subscriptions).toHaveLength(1)
  const event: EngineEvent = { type: 'image', action: 'tag', actor: { id: 'i1', attributes: {} }, time: 5n }
  queue.write(event)
  expect(JSON.parse(await chunk(client))).toMatchObject({ status: 'tag', id: 'i1', timeNano: 5 })
  queue.end()
})

test('an event stream that would end before it begins is refused', async () => {
  await using wire = await serve({})
  const { status, body } = await (await wire.connect()).request('GET', '/events?since=20&until=10')
  expect([status, body]).toEqual([400, '{"message":"`since` time (20) cannot be after `until` time (10)"}\n'])
})

describe('pull', () => {
  async function pull(query: string, progress: () => Promise<AsyncIterable<PullProgress>>) {
    const requests: PullRequest[] = []
    const wire = await serve({
      images: {
        pull: (request) => {
          requests.push(request)
          return progress()
        },
      },
    })
    const client = await wire.connect()
    client.send(`POST /images/create?${query} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
    return { client, requests, wire }
  }

  test('an error before the first byte is a status', async () => {
    const { client, wire } = await pull('fromImage=busybox&tag=nope', () => Promise.reject(conflict('no')))
    await using _ = wire
    expect((await client.answer()).status).toBe(409)
  })

  test('progress is lines of JSON', async () => {
    const { client, wire, requests } = await pull('fromImage=docker.io%2Flibrary%2Fbusybox&tag=latest', async () =>
      (async function* () {
        yield { status: 'Downloading', id: '0123456789ab', detail: { current: 50, total: 100 } }
      })(),
    )
    await using _ = wire
    expect(await client.head()).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(await chunk(client))).toMatchObject({
      status: 'Downloading',
      progressDetail: { current: 50, total: 100 },
      id: '0123456789ab',
    })
    expect(requests).toMatchObject([{ reference: { path: 'library/busybox', tag: 'latest' }, allTags: false }])
  })
})

test('what is no HTTP is told so, and the connection closed', async () => {
  await using wire = await serve({})
  const client = await wire.connect()
  client.send('hello\r\n\r\n')
  expect(await client.rest()).toContain('HTTP/1.1 400 Bad Request')
})
