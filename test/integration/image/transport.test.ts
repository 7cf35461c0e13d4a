import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
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

test.each(['ftp://127.0.0.1/', 'http://[', 'javascript:alert(1)'])('a redirect to %s is refused', async (location) => {
  await using server = await plain((_, response) => void response.writeHead(302, { location }).end())
  await expect(get(`http://127.0.0.1:${server.port}/`)).rejects.toMatchObject({ kind: 'invalid' })
})
