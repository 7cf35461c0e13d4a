import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestBlob, TestImage } from './base-image.ts'

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:41234` */
  readonly host: string
  readonly pid: number
  /** @param name `busybox:latest` */
  push(name: string, image: TestImage): Promise<void>
}

export interface RegistryOptions {
  /** Keeps the images in this directory, which stays; else they are gone with the registry. */
  readonly storage?: string
  /** A command in front, such as `nsenter --net=… --`: the registry then listens there, and pushes from here do not reach it. */
  readonly enter?: readonly string[]
  /** A free one by default. */
  readonly port?: number
  /** PEM files: it then speaks TLS only, and is pushed to beforehand (`seedRegistry`). */
  readonly tls?: {
    readonly certificate: string
    readonly key: string
    /** Whose clients are let in; anybody's by default. */
    readonly clientAuthorities?: readonly string[]
  }
  /** Where it listens; 127.0.0.1 by default, which is insecure by definition. */
  readonly address?: string
  /** Sends people there for tokens. */
  readonly tokenAuth?: TokenAuth
  /** Asks for the user `user` with the password `secret`. */
  readonly basicAuth?: boolean
}

/** The token server's address, its names, and the file with the certificate of its key. */
export interface TokenAuth {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  readonly rootcertbundle: string
}

/** `user:secret` as bcrypt. */
const htpasswd = 'user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n'

/** Starts Debian's docker-registry on loopback; it listens when this resolves. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'berth-registry-'))
  undo.defer(() => rm(directory, { recursive: true, force: true }))
  const config = join(directory, 'config.json')
  const storage = options.storage ?? join(directory, 'storage')
  await mkdir(storage, { recursive: true })
  await writeFile(join(directory, 'htpasswd'), htpasswd)
  // YAML takes JSON.
  await writeFile(config, JSON.stringify(configOf(options, storage, join(directory, 'htpasswd'))))
  const [command = '', ...args] = [...(options.enter ?? []), 'docker-registry', 'serve', config]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  undo.defer(() => stop(child))
  const host = await listeningAddress(child)
  const resources = undo.move()
  return {
    host,
    pid: child.pid ?? 0,
    push: (name, image) => push(`http://${host}`, name, image, options.basicAuth === true),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Puts images into a storage directory that a registry elsewhere (another network namespace) is then started on. */
export async function seedRegistry(storage: string, images: Readonly<Record<string, TestImage>>): Promise<void> {
  await using registry = await startRegistry({ storage })
  for (const [name, image] of Object.entries(images)) await registry.push(name, image)
}

function configOf(options: RegistryOptions, storage: string, htpasswdPath: string): object {
  const { port = 0, address = '127.0.0.1', basicAuth, tls, tokenAuth } = options
  return {
    version: 0.1,
    log: { level: 'info', formatter: 'json' },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `${address}:${port}`, secret: 'not a secret', ...(tls && { tls: toTls(tls) }) },
    ...(basicAuth && { auth: { htpasswd: { realm: 'tests', path: htpasswdPath } } }),
    ...(tokenAuth && { auth: { token: tokenAuth } }),
  }
}

function toTls({ certificate, key, clientAuthorities }: NonNullable<RegistryOptions['tls']>): object {
  return { certificate, key, ...(clientAuthorities && { clientcas: clientAuthorities }) }
}

async function listeningAddress(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('no pipe')
  const failed = once(child, 'error').then(([error]) => Promise.reject(error))
  const lines = createInterface({ input: child.stderr })
  const found = (async () => {
    const seen: string[] = []
    for await (const line of lines) {
      const address = /listening on (\d+\.\d+\.\d+\.\d+:\d+)/.exec(line)?.[1]
      if (address !== undefined) return address
      seen.push(line)
    }
    throw new Error(`docker-registry ended early:\n${seen.join('\n')}`)
  })()
  const address = await Promise.race([found, failed])
  failed.catch(() => undefined)
  child.stderr.resume()
  return address
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function push(base: string, name: string, image: TestImage, basicAuth: boolean): Promise<void> {
  const [repository = '', tag = 'latest'] = name.split(':')
  const headers: Record<string, string> = basicAuth
    ? { authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` }
    : {}
  const url = `${base}/v2/${repository}`
  for (const blob of image.blobs) await pushBlob(url, blob, headers)
  for (const manifest of image.manifests) await pushManifest(`${url}/manifests/${manifest.digest}`, manifest, headers)
  await pushManifest(`${url}/manifests/${tag}`, image.root, headers)
}

async function pushBlob(url: string, { digest, bytes }: TestBlob, headers: Record<string, string>): Promise<void> {
  const begun = await expectStatus(fetch(`${url}/blobs/uploads/`, { method: 'POST', headers }), 202)
  const target = new URL(begun.headers.get('location') ?? '', url)
  target.searchParams.set('digest', digest)
  const type = { 'content-type': 'application/octet-stream' }
  await expectStatus(
    fetch(target, { method: 'PUT', headers: { ...headers, ...type }, body: new Blob([new Uint8Array(bytes)]) }),
    201,
  )
}

async function pushManifest(url: string, { mediaType, bytes }: TestBlob, headers: Record<string, string>) {
  const type = { 'content-type': mediaType }
  await expectStatus(fetch(url, { method: 'PUT', headers: { ...headers, ...type }, body: bytes.toString('utf8') }), 201)
}

async function expectStatus(answer: Promise<Response>, status: number): Promise<Response> {
  const response = await answer
  const text = response.status === status ? '' : await response.text()
  if (response.status !== status) throw new Error(`${response.url} answered ${response.status}: ${text}`)
  await response.body?.cancel()
  return response
}
