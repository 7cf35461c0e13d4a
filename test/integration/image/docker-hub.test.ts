import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { startConnectProxy } from '#test/support/connect-proxy.ts'
import { startDaemon } from '#test/support/daemon.ts'
import { startIndexServer } from '#test/support/index-server.ts'
import { seedRegistry, startRegistry } from '#test/support/registry.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { makeCertificate } from '#test/support/tls.ts'
import { berthCommand } from '../cli/client.ts'

const mainProgram = join(import.meta.dirname, '../../../src/main.ts')

/** A daemon for which `registry-1.docker.io` is this machine, by a hosts file of its own, and that trusts only this certificate. */
function commandWith(hosts: string, authority: string): string[] {
  const script = 'mount --bind "$1" /etc/hosts && export SSL_CERT_FILE="$2" && shift 2 && exec "$@"'
  const wrap = ['unshare', '-m', '--propagation', 'private', 'sh', '-c', script, 'sh', hosts, authority]
  return [...wrap, process.execPath, mainProgram]
}

test('docker.io is asked under its own name, by TLS, with the authorities of the machine', async () => {
  await using directory = await tempDirectory()
  const hosts = join(directory.path, 'hosts')
  const storage = join(directory.path, 'storage')
  const certificate = await makeCertificate(directory.path, ['registry-1.docker.io'])
  await writeFile(hosts, '127.0.0.1 localhost registry-1.docker.io\n')
  const [official, mine] = [buildImage({ author: 'official' }), buildImage({ author: 'mine' })]
  await seedRegistry(storage, { 'library/busybox:latest': official, 'me/app:v1': mine })

  await using daemon = await startDaemon({ withImage: false, command: commandWith(hosts, certificate.certFile) })
  const tls = { certificate: certificate.certFile, key: certificate.keyFile }
  await using _registry = await startRegistry({ storage, tls, port: 443, enter: daemon.enter })

  const pulled = await daemon.docker('pull', 'busybox')
  expect(pulled.stderr).toBe('')
  expect(pulled.stdout).toContain('latest: Pulling from library/busybox\n')
  expect(pulled.stdout).toMatch(
    /Status: Downloaded newer image for busybox:latest\ndocker.io\/library\/busybox:latest\n$/,
  )
  expect((await daemon.docker('pull', '-q', 'me/app:v1')).stdout).toBe('docker.io/me/app:v1\n')

  const names = await daemon.docker(
    ...[
      'images',
      '--format',
      '{{.Repository}}:{{.Tag}}',
      '--filter',
      'reference=busybox',
      '--filter',
      'reference=me/app',
    ],
  )
  expect(names.stdout.trim().split('\n').toSorted()).toEqual(['busybox:latest', 'me/app:v1'])
  for (const name of ['busybox', 'docker.io/busybox', 'index.docker.io/library/busybox:latest', 'library/busybox']) {
    expect((await daemon.docker('image', 'inspect', '-f', '{{.Id}}', name)).stdout).toBe(`${official.id}\n`)
  }
  expect((await daemon.docker('run', '--rm', '--network', 'none', 'me/app:v1', 'echo', 'hi')).stdout).toBe('hi\n')
  expect((await daemon.docker('run', '--rm', 'nosuch')).stderr).toBe(
    [
      "Unable to find image 'nosuch:latest' locally",
      'docker: Error response from daemon: manifest for nosuch:latest not found: manifest unknown: manifest unknown\n',
      "Run 'docker run --help' for more information\n",
    ].join('\n'),
  )
})

test('docker.io with a certificate of somebody else is refused', async () => {
  await using directory = await tempDirectory()
  const hosts = join(directory.path, 'hosts')
  await writeFile(hosts, '127.0.0.1 localhost registry-1.docker.io\n')
  await using elsewhere = await tempDirectory()
  const trusted = await makeCertificate(elsewhere.path)
  const stranger = await makeCertificate(directory.path, ['registry-1.docker.io'])
  await using daemon = await startDaemon({
    withImage: false,
    command: commandWith(hosts, trusted.certFile),
  })
  const tls = { certificate: stranger.certFile, key: stranger.keyFile }
  await using _registry = await startRegistry({ tls, port: 443, enter: daemon.enter })
  const { code, stderr } = await daemon.docker('pull', 'busybox')
  expect(code).toBe(1)
  expect(stderr).toMatch(/https:\/\/registry-1\.docker\.io\/v2\/library\/busybox.*tls: failed to verify certificate/)
})

test("docker.io's index is searched under its own name, with the password of its user", async () => {
  await using directory = await tempDirectory()
  const hosts = join(directory.path, 'hosts')
  const tls = await makeCertificate(directory.path, ['index.docker.io'])
  await writeFile(hosts, '127.0.0.1 localhost index.docker.io\n')
  await using daemon = await startDaemon({ withImage: false, command: commandWith(hosts, tls.certFile) })
  const results = [{ name: 'busybox', description: 'the one', star_count: 3000, is_official: true }]
  await using index = await startIndexServer({ enter: daemon.enter, results, port: 443, tls })
  const shown = 'NAME      DESCRIPTION   STARS     OFFICIAL\nbusybox   the one       3000      [OK]\n'
  for (const term of ['library/busybox', 'docker.io/busybox']) {
    expect(await daemon.docker('search', term)).toMatchObject({ stdout: shown, stderr: '' })
    expect(index.searches.at(-1)).toBe('?q=busybox&n=25')
  }
  const auth = Buffer.from('me:word').toString('base64')
  const auths = { 'https://index.docker.io/v1/': { auth } }
  await writeFile(join(daemon.directory, 'config.json'), JSON.stringify({ auths }))
  for (const program of [['docker'], berthCommand]) {
    expect(await daemon.run([...program, 'search', 'busybox'])).toMatchObject({ stdout: shown, stderr: '' })
    expect(index.searches.at(-1)).toBe(`?q=busybox&n=25 Basic ${auth}`)
  }
})

test('docker.io is reached through the proxy of the environment, which is asked for nothing on this machine', async () => {
  await using directory = await tempDirectory()
  const storage = join(directory.path, 'storage')
  const certificate = await makeCertificate(directory.path, ['registry-1.docker.io'])
  const image = buildImage()
  await seedRegistry(storage, { 'library/busybox:latest': image, 'app:latest': image })
  const environment = [`SSL_CERT_FILE=${certificate.certFile}`, 'HTTPS_PROXY=http://me:word@127.0.0.1:3128']
  const command = ['env', ...environment, process.execPath, mainProgram]
  await using daemon = await startDaemon({ withImage: false, command })
  const tls = { certificate: certificate.certFile, key: certificate.keyFile }
  await using _hub = await startRegistry({ storage, tls, port: 443, enter: daemon.enter })
  await using local = await startRegistry({ storage, enter: daemon.enter })
  await using proxy = await startConnectProxy(daemon.enter, 3128)

  expect(await daemon.docker('pull', '-q', `${local.host}/app`)).toMatchObject({ code: 0, stderr: '' })
  expect(proxy.tunnels).toEqual([])
  expect(await daemon.docker('pull', '-q', 'busybox')).toMatchObject({ code: 0, stderr: '' })
  const credentials = Buffer.from('me:word').toString('base64')
  expect(new Set(proxy.tunnels)).toEqual(new Set([`registry-1.docker.io:443 Basic ${credentials}`]))
})
