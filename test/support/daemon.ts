import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildImage } from './base-image.ts'
import { dockerCli } from './dockerd.ts'
import { seedRegistry, startRegistry } from './registry.ts'
import { waitFor } from './wait-for.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

type Headers = Readonly<Record<string, string>>

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface DaemonOptions {
  /** More flags. */
  readonly args?: readonly string[]
  /** Pull the base image under the name `busybox`. True by default. */
  readonly withImage?: boolean
  /** What runs; by default our sources. */
  readonly command?: readonly string[]
  /** Until a daemon that neither serves nor ends counts as hanging. Start-up on a loaded machine has taken more than 15 s. */
  readonly servesWithinMs?: number
}

/** The base image in a daemon that `startDaemon` made. */
export const busybox = 'busybox'

const mainProgram = join(import.meta.dirname, '../../src/main.ts')
const outputLimit = 64 << 20

/** A real daemon with directories, a socket and a network namespace of its own; all are gone, with its containers, when it is disposed. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'berth-daemon-'))
  undo.defer(() => rm(directory, { recursive: true, force: true }))
  const holder = await holdNamespace()
  undo.defer(() => end(holder, 'SIGKILL'))
  const daemon = new TestDaemon(directory, holder.pid ?? 0, options)
  undo.defer(() => daemon.clear())
  await daemon.start()
  if (options.withImage !== false) await daemon.addImage()
  const resources = undo.move()
  daemon.onDispose(() => resources.disposeAsync())
  return daemon
}

/** A process in a new network namespace with its loopback up; the namespace lives as long. */
async function holdNamespace(): Promise<ChildProcess> {
  const script = 'ip link set lo up && echo up && exec sleep infinity'
  const holder = spawn('unshare', ['-n', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(holder.stdout, 'data')
  if (String(line) !== 'up\n') throw new Error(`no network namespace: ${line}`)
  return holder
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

export class TestDaemon implements AsyncDisposable {
  readonly dataRoot: string
  readonly execRoot: string
  readonly socket: string
  readonly directory: string
  readonly #holder: number
  readonly #options: DaemonOptions
  #child: ChildProcess | undefined
  #log = ''
  #hasServed = false
  #dispose: () => Promise<void> = async () => undefined

  constructor(directory: string, holder: number, options: DaemonOptions) {
    this.directory = directory
    this.dataRoot = join(directory, 'data')
    this.execRoot = join(directory, 'exec')
    this.socket = join(directory, 'berth.sock')
    this.#holder = holder
    this.#options = options
  }

  /** `DOCKER_HOST` */
  get host(): string {
    return `unix://${this.socket}`
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** What it wrote to standard error, over all its lives. */
  get log(): string {
    return this.#log
  }

  /** In front of a command, this runs it in the daemon's network namespace. */
  get enter(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.#holder}/ns/net`, '--']
  }

  /** A process in the daemon's network namespace that outlives it. */
  get namespaceOwner(): number {
    return this.#holder
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const [command = '', ...args] = [
      ...this.enter,
      ...(this.#options.command ?? [process.execPath, mainProgram]),
      'daemon',
      ...['--data-root', this.dataRoot, '--exec-root', this.execRoot, '-H', this.host],
      ...(this.#options.args ?? []),
    ]
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'pipe'] })
    this.#child = child
    child.stderr.on('data', (chunk) => {
      this.#log += String(chunk)
    })
    const serves = async () => {
      if (!this.isRunning) throw new Error(`the daemon ended at once:\n${this.#log}`)
      return (await this.request('GET', '/_ping').catch(() => undefined))?.status === 200
    }
    await waitFor('the daemon serves', serves, { timeoutMs: this.#options.servesWithinMs ?? 90_000 })
    this.#hasServed = true
  }

  /** SIGTERM, and its exit code. */
  async stop(): Promise<number> {
    if (!this.#child) throw new Error('the daemon was never started')
    await end(this.#child, 'SIGTERM')
    return this.#child.exitCode ?? -1
  }

  async kill9(): Promise<void> {
    if (this.#child) await end(this.#child, 'SIGKILL')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Pulls the base image from a registry that lives only as long. */
  async addImage(): Promise<void> {
    const storage = join(this.directory, 'registry')
    await seedRegistry(storage, { 'busybox:latest': buildImage() })
    await using registry = await startRegistry({ storage, enter: this.enter })
    const name = `${registry.host}/busybox`
    const pulled = await this.request('POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=latest`)
    if (pulled.status !== 200 || pulled.body.includes('errorDetail')) throw new Error(`pull: ${pulled.body}`)
    await this.#expect('POST', `/images/${name}:latest/tag?repo=${busybox}&tag=latest`, 201)
    await this.#expect('DELETE', `/images/${name}:latest`, 200)
  }

  /** One request over the socket. */
  async request(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Answer> {
    const response = await this.open(method, path, body, { headers })
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }
  }

  /** The body is read by the caller. */
  async open(
    method: string,
    path: string,
    body?: unknown,
    { signal, headers: extra }: { readonly signal?: AbortSignal; readonly headers?: Headers } = {},
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers =
      text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }
    const sent = request(
      {
        socketPath: this.socket,
        method,
        path,
        headers: { ...headers, ...extra },
        agent: false,
        ...(signal && { signal }),
      },
      resolve,
    )
    sent.on('error', reject)
    sent.end(text)
    return promise
  }

  /** Turns the connection of a POST into the raw stream of an attach or exec. */
  async hijack(path: string, body?: unknown): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'tcp',
      'Content-Type': 'application/json',
      'Content-Length': text.length,
    }
    const sent = request({ socketPath: this.socket, method: 'POST', path, headers, agent: false })
    sent.on('upgrade', (_response, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    sent.on('response', ({ statusCode }) => reject(new Error(`POST ${path}: ${statusCode}`)))
    sent.on('error', reject)
    sent.end(text)
    return promise
  }

  /** The parsed answer of a request that succeeds. */
  async json(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.request(method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
    return JSON.parse(answer.body === '' ? '{}' : answer.body) as Record<string, unknown>
  }

  /** The unmodified docker CLI against this daemon. */
  docker(...args: readonly string[]): Promise<CommandResult> {
    return this.run([dockerCli(), ...args])
  }

  /** A command that finds the daemon by DOCKER_HOST. Input, if any, is its whole standard input. */
  run([command = '', ...args]: readonly string[], input = ''): Promise<CommandResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CommandResult>()
    const env = { ...process.env, DOCKER_HOST: this.host, BERTH_HOST: this.host, DOCKER_CONFIG: this.directory }
    const child = execFile(command, args, { env, maxBuffer: outputLimit }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve({ code: child.exitCode ?? -1, stdout, stderr })
    })
    // A command that does not read its input may be gone before it is written.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    return promise
  }

  /** Runs `docker run -d` and gives the id. */
  async runDetached(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker('run', '-d', ...args)
    if (code !== 0) throw new Error(`docker run -d ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  /** Ends everything that this daemon and its earlier lives have started. */
  async clear(): Promise<void> {
    if (!this.#hasServed) return await this.kill9()
    if (!this.isRunning) await this.start()
    const listed = await this.request('GET', '/containers/json?all=1')
    const containers = JSON.parse(listed.body) as { Id: string }[]
    await Promise.all(containers.map(({ Id }) => this.request('DELETE', `/containers/${Id}?force=1`)))
    await this.stop()
  }

  onDispose(dispose: () => Promise<void>): void {
    this.#dispose = dispose
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispose()
  }

  async #expect(method: string, path: string, status: number): Promise<void> {
    const answer = await this.request(method, path)
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
  }
}
