import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { dockerCli } from '#test/support/dockerd.ts'
import { seedRegistry, startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { makeCertificate, type TestCertificate } from '#test/support/tls.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')
/** Not this machine itself, for which no certificate counts. */
const host = '192.0.2.1:5000'
/** It also asks for a password. */
const guardedHost = '192.0.2.1:5001'

let directory: Awaited<ReturnType<typeof tempDirectory>>
let daemon: TestDaemon
let registry: TestRegistry
let guarded: TestRegistry
let server: TestCertificate
let client: TestCertificate
let folder: string

beforeAll(async () => {
  directory = await tempDirectory()
  const [serverPath, clientPath] = ['server', 'client'].map((name) => join(directory.path, name)) as [string, string]
  folder = join(directory.path, 'certs.d', host)
  const mountPoint = join(directory.path, 'etc/docker/certs.d')
  for (const path of [serverPath, clientPath, folder, mountPoint]) await mkdir(path, { recursive: true })
  server = await makeCertificate(serverPath)
  client = await makeCertificate(clientPath)
  const storage = join(directory.path, 'storage')
  await seedRegistry(storage, { 'app:latest': buildImage() })
  // The machine need not have the folder: an /etc with one is put above its own, and ours over that.
  const script =
    'mount -t overlay overlay -o "lowerdir=$1/etc:/etc" /etc && mount --bind "$1/certs.d" /etc/docker/certs.d && shift && exec "$@"'
  const wrap = ['unshare', '-m', '--propagation', 'private', 'sh', '-c', script, 'sh', directory.path]
  daemon = await startDaemon({ withImage: false, command: [...wrap, process.execPath, mainProgram] })
  await daemon.run([...daemon.enter, 'ip', 'address', 'add', '192.0.2.1/32', 'dev', 'lo'])
  const tls = { certificate: server.certFile, key: server.keyFile, clientAuthorities: [client.certFile] }
  registry = await startRegistry({ storage, tls, address: '192.0.2.1', port: 5000, enter: daemon.enter })
  guarded = await startRegistry({ basicAuth: true, tls, address: '192.0.2.1', port: 5001, enter: daemon.enter })
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await guarded[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

/** What a pull says with these files in the folder of the registry. */
async function pullWith(files: Readonly<Record<string, string>>) {
  await rm(folder, { recursive: true })
  await mkdir(folder)
  for (const [name, source] of Object.entries(files)) await copyFile(source, join(folder, name))
  const { code, stderr } = await daemon.docker('pull', '-q', `${registry.host}/app`)
  return code === 0 ? 'pulled' : stderr
}

test('with its authority and our certificate in certs.d a registry lets us in', async () => {
  expect(await pullWith({ 'ca.crt': server.certFile, 'me.cert': client.certFile, 'me.key': client.keyFile })).toBe(
    'pulled',
  )
})

test('without our certificate it does not, and the error says so', async () => {
  expect(await pullWith({ 'ca.crt': server.certFile })).toMatch(
    /remote error: tls: (certificate required|bad certificate)/,
  )
})

test('a certificate that it does not know is refused by it', async () => {
  const files = { 'ca.crt': server.certFile, 'me.cert': server.certFile, 'me.key': server.keyFile }
  expect(await pullWith(files)).toMatch(/remote error: tls: (unknown certificate authority|bad certificate)/)
})

test('without its authority nothing is shown to it', async () => {
  expect(await pullWith({ 'me.cert': client.certFile, 'me.key': client.keyFile })).toMatch(
    /tls: failed to verify certificate/,
  )
})

test('halves of a pair, and files that are no certificates, are named', async () => {
  expect(await pullWith({ 'me.cert': client.certFile })).toMatch(
    /missing key me\.key for client certificate me\.cert in \/etc\/docker\/certs\.d\/192\.0\.2\.1:5000\. CA certificates must use the extension \.crt/,
  )
  expect(await pullWith({ 'me.key': client.keyFile })).toMatch(/missing client certificate me\.cert for key me\.key/)
  await writeFile(join(directory.path, 'garbage'), 'no certificate')
  expect(
    await pullWith({ 'ca.crt': server.certFile, 'me.cert': join(directory.path, 'garbage'), 'me.key': client.keyFile }),
  ).toMatch(
    /the certificates for 192\.0\.2\.1:5000 \(system and \/etc\/docker\/certs\.d\/192\.0\.2\.1:5000\) cannot be used/,
  )
})

test('an image is pushed by TLS with a certificate and a password, and comes back by its digest', async () => {
  await pullWith({ 'ca.crt': server.certFile, 'me.cert': client.certFile, 'me.key': client.keyFile })
  const image = `${guardedHost}/mine`
  await daemon.docker('tag', `${host}/app`, image)
  const unknown = await daemon.docker('push', image)
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('tls: failed to verify certificate: self-signed certificate'),
  ])

  await cp(folder, join(directory.path, 'certs.d', guardedHost), { recursive: true })
  const denied = await daemon.docker('push', image)
  expect([denied.code, denied.stderr]).toEqual([1, 'no basic auth credentials\n'])
  const login = [dockerCli(), 'login', '-u', 'user', '--password-stdin', guardedHost]
  expect((await daemon.run(login, 'secret\n')).stdout).toBe('Login Succeeded\n')
  const pushed = await daemon.docker('push', image)
  expect(pushed).toMatchObject({ code: 0, stderr: '' })
  const [, digest] = /^latest: digest: (sha256:\w{64}) size: \d+$/m.exec(pushed.stdout) ?? []
  await daemon.docker('rmi', '-f', image, `${host}/app`)
  expect((await daemon.docker('pull', '-q', `${image}@${digest}`)).stdout).toBe(`${image}@${digest}\n`)
  expect(daemon.log).not.toContain('secret')
})
