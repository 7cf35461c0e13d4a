import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import type { Clock } from '#base/clock.ts'
import { systemCode } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import { trustFor } from '#images/registry/certificates.ts'
import { Transport, type TransportLimits } from '#images/registry/transport.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { makeCertificate } from '#test/support/tls.ts'

const limits: Partial<TransportLimits> = { attempts: 2, backoffMs: 1, headersTimeoutMs: 300, stallTimeoutMs: 300 }

async function listen(server: Server & { closeAllConnections(): void }): Promise<AsyncDisposable & { port: number }> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const plain = (listener: RequestListener) => listen(createPlainServer(listener))

async function secure(listener: RequestListener) {
  await using directory = await tempDirectory()
  return await listen(createServer(await makeCertificate(directory.path), listener))
}

async function get(url: string, { verifyTls = true, headers = {}, signal = new AbortController().signal } = {}) {
  await using transport = new Transport({ limits })
  const response = await transport.send({ method: 'GET', url, headers, verifyTls, signal })
  return `${response.status} ${await readAll(response.body, 1000, 'the answer')}`
}

test('a certificate that nobody vouches for is refused, unless the registry is insecure', async () => {
  await using server = await secure((_, response) => void response.end('hi'))
  const url = `https://127.0.0.1:${server.port}/`
  await expect(get(url)).rejects.toMatchObject({
    kind: 'unavailable',
    message: `failed to do request: Get "${url}": tls: failed to verify certificate: self-signed certificate`,
  })
  expect(await get(url, { verifyTls: false })).toBe('200 hi')
})

test('authorities of a folder for the host are trusted, and only for it', async () => {
  await using directory = await tempDirectory()
  const certificate = await makeCertificate(directory.path)
  await using server = await listen(createServer(certificate, (_, response) => void response.end('hi')))
  const host = `localhost:${server.port}`
  await mkdir(join(directory.path, host))
  await writeFile(join(directory.path, host, 'ca.crt'), certificate.cert)
  const connectTo = async (name: string) => {
    const socket = connect({
      host: 'localhost',
      port: server.port,
      secureContext: await trustFor(name, directory.path),
    })
    try {
      await once(socket, 'secureConnect')
      return 'trusted'
    } catch (error) {
      return systemCode(error)
    } finally {
      socket.destroy()
    }
  }
  expect(await connectTo(host)).toBe('trusted')
  expect(await connectTo('other:443')).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  for (const name of ['client.cert', 'client.key']) await writeFile(join(directory.path, host, name), 'garbage')
  await expect(trustFor(host, directory.path)).rejects.toMatchObject({ kind: 'unavailable' })
})

test('a server without TLS is named as such', async () => {
  await using server = await plain((_, response) => void response.end('hi'))
  await expect(get(`https://127.0.0.1:${server.port}/`)).rejects.toMatchObject({
    message: expect.stringMatching(/http: server gave HTTP response to HTTPS client$/),
  })
})

test('a server that never answers is given up after a time limit, after as many attempts as allowed', async () => {
  let requests = 0
  await using server = await plain(() => {
    requests += 1
  })
  await expect(get(`http://127.0.0.1:${server.port}/`)).rejects.toMatchObject({
    kind: 'timeout',
    message: expect.stringMatching(/timeout awaiting response headers$/),
  })
  expect(requests).toBe(2)
})

test('a cancelled request ends at once', async () => {
  const leave = new AbortController()
  await using server = await plain(() => leave.abort())
  await expect(get(`http://127.0.0.1:${server.port}/`, { signal: leave.signal })).rejects.toMatchObject({
    kind: 'cancelled',
  })
})

test('a redirect from TLS to plain HTTP is refused where TLS counts, and followed without credentials where it does not', async () => {
  const seen: (string | undefined)[] = []
  await using target = await plain(({ headers }, response) => {
    seen.push(headers.authorization)
    response.end('moved')
  })
  await using server = await secure((_, response) => {
    response.writeHead(307, { location: `http://127.0.0.1:${target.port}/` }).end()
  })
  const url = `https://127.0.0.1:${server.port}/`
  const headers = { authorization: 'Basic c2VjcmV0' }
  expect(await get(url, { verifyTls: false, headers })).toBe('200 moved')
  expect(seen).toEqual([undefined])
})

/** Time that passes only by sleeping, and what was slept. */
function sleepingClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = []
  const now = () => new Date(Date.parse('2026-01-02T03:04:05Z') + slept.reduce((sum, ms) => sum + ms, 0))
  return {
    slept,
    now,
    nowNanos: () => BigInt(now().getTime()) * 1_000_000n,
    sleep: async (ms) => void slept.push(ms),
  }
}

/** How long is slept between five attempts, and what comes of them, when a server always answers so. */
async function persist(status: number, headers: Readonly<Record<string, string>>) {
  const clock = sleepingClock()
  let requests = 0
  await using server = await plain((_, response) => {
    requests += 1
    response.writeHead(status, headers).end()
  })
  await using transport = new Transport({ limits: { attempts: 5, backoffMs: 100 }, clock })
  const { signal } = new AbortController()
  const url = `http://127.0.0.1:${server.port}/`
  const response = await transport.send({ method: 'GET', url, headers: {}, verifyTls: false, signal })
  await response.discard()
  return { status: response.status, requests, slept: clock.slept }
}

test.each([429, 500, 502, 503, 504])(
  'answer %s is met with ever longer pauses, with jitter, and told at last',
  async (status) => {
    const { slept, ...ended } = await persist(status, {})
    expect(ended).toEqual({ status, requests: 5 })
    for (const [attempt, ms] of slept.entries()) {
      expect(ms / (100 * 2 ** attempt)).toBeGreaterThanOrEqual(0.5)
      expect(ms / (100 * 2 ** attempt)).toBeLessThan(1.5)
    }
    expect(new Set(slept.map((ms, attempt) => ms / 2 ** attempt)).size).toBeGreaterThan(1)
  },
)

test.each([
  ['7', [7000, 7000, 7000, 7000]],
  // Of this clock, which stands at 03:04:05 and goes on by what is slept.
  ['Fri, 02 Jan 2026 03:04:08 GMT', [3000, 0, 0, 0]],
  ['0', [0, 0, 0, 0]],
  ['3600', []],
  ['Fri, 02 Jan 2026 04:04:05 GMT', []],
])('Retry-After: %s is obeyed, unless it asks for too much', async (retryAfter, slept) => {
  const result = await persist(429, { 'retry-after': retryAfter })
  expect(result).toEqual({ status: 429, requests: slept.length + 1, slept })
})

test('Retry-After in no form counts as none', async () => {
  const { slept } = await persist(503, { 'retry-after': 'soon' })
  expect(slept).toHaveLength(4)
})

test('no more than six connections lead to one host', async () => {
  const released = Promise.withResolvers<void>()
  let open = 0
  let most = 0
  await using server = await plain(async (_, response) => {
    open += 1
    most = Math.max(most, open)
    if (open === 6) released.resolve()
    await released.promise
    open -= 1
    response.end('hi')
  })
  await using transport = new Transport()
  const { signal } = new AbortController()
  const url = `http://127.0.0.1:${server.port}/`
  const ask = async () => {
    const response = await transport.send({ method: 'GET', url, headers: {}, verifyTls: false, signal })
    return (await readAll(response.body, 10, 'it')).toString()
  }
  expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array(20).fill('hi'))
  expect(most).toBe(6)
})

test.each(['ftp://127.0.0.1/', 'http://[', 'javascript:alert(1)'])('a redirect to %s is refused', async (location) => {
  await using server = await plain((_, response) => void response.writeHead(302, { location }).end())
  await expect(get(`http://127.0.0.1:${server.port}/`)).rejects.toMatchObject({ kind: 'invalid' })
})
