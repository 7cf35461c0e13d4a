import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseHost, prepareSocketPath, protectSocket } from '#daemon/listeners.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-listen-'))
  path = join(directory, 'deep', 'berth.sock')
})
afterEach(() => rm(directory, { recursive: true }))

test('hosts are sockets, of this machine or of the network', () => {
  expect(parseHost('unix:///run/x.sock')).toEqual({ kind: 'unix', path: '/run/x.sock' })
  expect(parseHost('fd://')).toEqual({ kind: 'inherited' })
  expect(parseHost('tcp://0.0.0.0:2375')).toEqual({ kind: 'tcp', host: '0.0.0.0', port: 2375 })
  expect(parseHost('tcp://[::1]:1')).toEqual({ kind: 'tcp', host: '::1', port: 1 })
  expect(parseHost('tcp://:2376')).toEqual({ kind: 'tcp', host: 'localhost', port: 2376 })
  expect(parseHost('tcp://a.lan')).toEqual({ kind: 'tcp', host: 'a.lan', port: undefined })
  for (const bad of ['tcp://::1:1', 'tcp://a:65536', 'tcp://a:b', 'tcp://[::1', 'tcp://a/path'])
    expect(() => parseHost(bad)).toThrow(/invalid host/)
  expect(() => parseHost('npipe:////x')).toThrow(/invalid host/)
  expect(() => parseHost('unix://relative')).toThrow(/invalid host/)
})

test('a socket that nobody serves is cleared, a served one and other files are not', async () => {
  await prepareSocketPath(path)
  const server = createServer().listen(path)
  await once(server, 'listening')
  await expect(prepareSocketPath(path)).rejects.toThrow(/another daemon is listening/)
  await protectSocket(path, '4242')
  expect(await stat(path)).toMatchObject({ gid: 4242, mode: 0o140660 })
  await expect(protectSocket(path, 'no-such-group')).rejects.toThrow(/group no-such-group not found/)
  server.close()
  await once(server, 'close')
  await prepareSocketPath(path)
  await writeFile(path, '')
  await expect(prepareSocketPath(path)).rejects.toThrow(/it exists and is no socket/)
})
