import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { startConnectProxy } from '#test/support/connect-proxy.ts'
import { startDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry } from '#test/support/registry.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { makeCertificate } from '#test/support/tls.ts'
import { berthCommand } from '../cli/client.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')
const basic = (user: string) => `Basic ${Buffer.from(user).toString('base64')}`

/** A daemon with this daemon.json, in an environment whose proxy must not count. */
async function startProxied(directory: string, config: object, authority: string) {
  const file = join(directory, 'daemon.json')
  await writeFile(file, JSON.stringify(config))
  const environment = [`SSL_CERT_FILE=${authority}`, 'HTTPS_PROXY=http://nobody.invalid:1', 'NO_PROXY=tls.example']
  const command = ['env', ...environment, process.execPath, mainProgram]
  return await startDaemon({ withImage: false, command, args: ['--config-file', file] })
}

test('the proxies of daemon.json count before those of the environment, and what is excepted is reached without', async () => {
  await using directory = await tempDirectory()
  const storage = join(directory.path, 'storage')
  const certificate = await makeCertificate(directory.path, ['tls.example'])
  await seedRegistry(storage, { 'app:latest': buildImage() })
  const proxies = {
    'http-proxy': '127.0.0.1:3128',
    'https-proxy': 'http://me:pass%20word@127.0.0.1:3128',
    'no-proxy': 'direct.example,.local',
  }
  const insecure = ['plain.example:5000']
  const registries = {
    'docker.io': { mirrors: ['https://mirror.example/hub'] },
    'direct.example:5000': { insecure: true },
  }
  const config = { proxies, registries, 'insecure-registries': insecure, 'max-download-attempts': 1 }
  await using daemon = await startProxied(directory.path, config, certificate.certFile)
  const tls = { certificate: certificate.certFile, key: certificate.keyFile }
  await using _tls = await startRegistry({ storage, tls, port: 443, enter: daemon.enter })
  await using _plain = await startRegistry({ storage, port: 5000, enter: daemon.enter })
  await using proxy = await startConnectProxy(daemon.enter, 3128)

  expect(await daemon.docker('pull', '-q', 'tls.example/app')).toMatchObject({ code: 0, stderr: '' })
  expect(new Set(proxy.tunnels)).toEqual(new Set([`tls.example:443 ${basic('me:pass word')}`]))
  expect(await daemon.docker('pull', '-q', 'plain.example:5000/app')).toMatchObject({ code: 0, stderr: '' })
  expect(proxy.tunnels.at(-1)).toBe('plain.example:5000')
  const direct = await daemon.docker('pull', '-q', 'direct.example:5000/app')
  expect(direct.stderr).toMatch(/lookup direct\.example/)

  const info = await daemon.docker('info', '--format', '{{.HTTPProxy}} {{.HTTPSProxy}} {{.NoProxy}}')
  expect(info.stdout).toBe('127.0.0.1:3128 http://xxxxx:xxxxx@127.0.0.1:3128 direct.example,.local\n')
  const lines = [
    ' HTTP Proxy: 127.0.0.1:3128',
    ' HTTPS Proxy: http://xxxxx:xxxxx@127.0.0.1:3128',
    ' No Proxy: direct.example,.local',
  ]
  for (const program of [['docker'], berthCommand]) {
    expect((await daemon.run([...program, 'info'])).stdout).toContain(`${lines.join('\n')}\n`)
  }
  const { RegistryConfig } = await daemon.json('GET', '/info')
  expect(RegistryConfig).toMatchObject({
    Mirrors: ['https://mirror.example/hub/'],
    IndexConfigs: { 'plain.example:5000': { Secure: false }, 'direct.example:5000': { Secure: false } },
  })
  expect(daemon.log).not.toMatch(/pass( |%20)word/)
})

test('a proxy that refuses, or is not there, is what the error names', async () => {
  await using directory = await tempDirectory()
  const certificate = await makeCertificate(directory.path)
  const address = 'http://me:wrong@127.0.0.1:3128'
  const proxies = { 'http-proxy': address, 'https-proxy': address, 'no-proxy': 'other.example' }
  const config = { proxies, 'insecure-registries': ['plain.example:5000'], 'max-download-attempts': 1 }
  await using daemon = await startProxied(directory.path, config, certificate.certFile)
  const pull = async (name: string) => (await daemon.docker('pull', '-q', name)).stderr
  expect(await pull('tls.example/app')).toMatch(
    /Head "https:\/\/tls\.example\/v2\/app\/manifests\/latest": proxyconnect tcp: dial tcp 127\.0\.0\.1:3128: connect: connection refused\n/,
  )
  await using _proxy = await startConnectProxy(daemon.enter, 3128, basic('me:right'))
  expect(await pull('tls.example/app')).toMatch(/proxyconnect tcp: Proxy Authentication Required\n/)
  expect(await pull('plain.example:5000/app')).toMatch(/proxyconnect tcp: Proxy Authentication Required\n/)
  expect(daemon.log).not.toContain('wrong')
})

test('what is no proxy keeps the daemon from starting', async () => {
  await using directory = await tempDirectory()
  const config = { proxies: { 'https-proxy': 'socks5://me:secret@127.0.0.1:1080' } }
  const started = await startProxied(directory.path, config, '/dev/null').catch((error: unknown) => String(error))
  expect(started).toContain('proxy "socks5://xxxxx:xxxxx@127.0.0.1:1080" is not supported')
})
