import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createApiServer } from '#api/server.ts'
import { silentLogger } from '#base/log.ts'
import type { Containers, Engine, Events, Images, Networks, System, Volumes } from '#engine/engine.ts'
import type { SystemVersion } from '#engine/info.ts'
import { tempDirectory } from '#test/support/temp.ts'

const version: SystemVersion = {
  version: '1.2.3',
  gitCommit: 'abc',
  buildTime: '2026-01-01T00:00:00Z',
  os: 'linux',
  architecture: 'amd64',
  kernelVersion: '6.1.0',
  runtimeVersion: '1.2.3',
  nodeVersion: 'v26.10.0',
}

export interface Parts {
  readonly containers?: Partial<Containers>
  readonly images?: Partial<Images>
  readonly networks?: Partial<Networks>
  readonly volumes?: Partial<Volumes>
  readonly events?: Partial<Events>
}

/** An engine that does only what a test of the wire needs; everything else is an error that names it. */
function standInEngine(parts: Parts): Engine {
  return {
    containers: only('containers', parts.containers),
    images: only('images', parts.images),
    networks: only('networks', parts.networks),
    volumes: only('volumes', parts.volumes),
    events: only('events', parts.events),
    system: only<System>('system', { version: () => version }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function only<T extends object>(name: string, part: Partial<T> = {}): T {
  return new Proxy(part as T, {
    get(target, key) {
      if (Reflect.has(target, key)) return Reflect.get(target, key)
      return () => {
        throw new Error(`the stand-in engine has no ${name}.${String(key)}`)
      }
    },
  })
}

export interface Wire extends AsyncDisposable {
  readonly socketPath: string
  /** A client connection whose halves are closed one by one. */
  connect(): Promise<Client>
}

/** A real server with a stand-in engine on a real socket. */
export async function serve(parts: Parts): Promise<Wire> {
  const directory = await tempDirectory()
  const server = createApiServer(standInEngine(parts), { logger: silentLogger })
  const socketPath = join(directory.path, 'api.sock')
  await server.listen({ path: socketPath })
  const clients = new Set<Socket>()
  return {
    socketPath,
    async connect() {
      const socket = connect({ path: socketPath, allowHalfOpen: true })
      clients.add(socket)
      await once(socket, 'connect')
      return new Client(socket)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of clients) socket.destroy()
      await server[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** Raw bytes out, raw bytes in. */
export class Client {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #ended = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes])
      socket.emit('progress')
    })
    socket.on('end', () => {
      this.#ended = true
      socket.emit('progress')
    })
    socket.on('error', () => undefined)
  }

  send(text: string): void {
    this.socket.write(text)
  }

  /** One request with a JSON body; gives status line, headers and body as they came. */
  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    const type = body === undefined ? '' : 'Content-Type: application/json\r\n'
    this.send(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\n${type}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    )
    return this.answer(method)
  }

  /** Reads one answer with a Content-Length (or none and no body). */
  async answer(method = 'GET'): Promise<Answer> {
    const head = await this.head()
    const length = method === 'HEAD' ? 0 : Number(head.headers['content-length'] ?? 0)
    await this.#until(() => this.#received.length >= length)
    const body = this.#received.subarray(0, length).toString('utf8')
    this.#received = this.#received.subarray(length)
    return { ...head, body }
  }

  async head(): Promise<Omit<Answer, 'body'>> {
    await this.#until(() => this.#received.includes('\r\n\r\n'))
    const end = this.#received.indexOf('\r\n\r\n')
    const [line = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n')
    this.#received = this.#received.subarray(end + 4)
    const headers = Object.fromEntries(
      lines.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 2)]),
    )
    return { line, status: Number(line.split(' ')[1]), headers }
  }

  /** Exactly these many bytes behind the head. */
  async bytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= count)
    const bytes = this.#received.subarray(0, count)
    this.#received = this.#received.subarray(count)
    return bytes
  }

  /** All that comes until the server closes. */
  async rest(): Promise<string> {
    await this.#until(() => this.#ended || this.socket.destroyed)
    return this.#received.toString('utf8')
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#ended || this.socket.destroyed) throw new Error(`the server closed after: ${this.#received.toString()}`)
      await Promise.race([once(this.socket, 'progress'), once(this.socket, 'close')])
    }
  }
}

export interface Answer {
  readonly line: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
