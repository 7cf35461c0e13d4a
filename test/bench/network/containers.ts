import { Agent, request } from 'node:http'
import type { MeasuredEngine } from '../engine/engines.ts'
import { median } from '../measure.ts'

/** Asks an engine over its socket, without a command line's own start; the connection is kept. */
export class Containers {
  readonly name: string
  readonly #socketPath: string
  readonly #image: string
  readonly #agent = new Agent({ keepAlive: true })
  readonly #made: string[] = []

  constructor({ name, env }: MeasuredEngine, image: string) {
    this.name = name
    this.#image = image
    this.#socketPath = (env.DOCKER_HOST ?? '').replace(/^unix:\/\//, '')
  }

  /** @throws when it is refused */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
    const options = {
      socketPath: this.#socketPath,
      agent: this.#agent,
      method,
      path,
      headers: { 'Content-Type': 'application/json' },
    }
    const asked = request(options, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text })).on('error', reject)
    })
    asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    const { status, text } = await promise
    if (status >= 400) throw new Error(`${this.name}: ${method} ${path}: ${status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  /** Milliseconds until it is answered. */
  async time(method: string, path: string, body?: unknown): Promise<number> {
    const begin = performance.now()
    await this.ask(method, path, body)
    return performance.now() - begin
  }

  async network(name: string): Promise<void> {
    await this.ask('POST', '/networks/create', { Name: name })
  }

  async removeNetwork(name: string): Promise<void> {
    await this.ask('DELETE', `/networks/${name}`)
  }

  /** A container that sleeps, not yet started.   @param ports of the host, each leading to the same one of its own */
  async create(network: string, ports: readonly number[] = []): Promise<string> {
    const bindings = Object.fromEntries(ports.map((port) => [`${port}/tcp`, [{ HostPort: String(port) }]]))
    const made = (await this.ask('POST', '/containers/create', {
      Image: this.#image,
      Cmd: ['sleep', '600'],
      ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])),
      HostConfig: { NetworkMode: network, PortBindings: bindings },
    })) as { Id: string }
    this.#made.push(made.Id)
    return made.Id
  }

  async start(network: string): Promise<{ readonly id: string; readonly pid: number; readonly address: string }> {
    const id = await this.create(network)
    await this.ask('POST', `/containers/${id}/start`)
    const { State, NetworkSettings } = (await this.ask('GET', `/containers/${id}/json`)) as {
      State: { Pid: number }
      NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
    }
    return { id, pid: State.Pid, address: NetworkSettings.Networks[network]?.IPAddress ?? '' }
  }

  /** Milliseconds of the start of a fresh container, which is removed again. */
  async timeStart(network: string, ports: readonly number[] = []): Promise<number> {
    const id = await this.create(network, ports)
    const took = await this.time('POST', `/containers/${id}/start`)
    await this.remove(id)
    return took
  }

  async remove(id: string): Promise<void> {
    await this.ask('DELETE', `/containers/${id}?force=1`)
    this.#made.splice(this.#made.indexOf(id), 1)
  }

  async removeAll(): Promise<void> {
    await Promise.all([...this.#made].map((id) => this.remove(id)))
    this.#agent.destroy()
  }
}

/** By how much the medians of two series differ. */
export function difference(more: readonly number[], less: readonly number[]): number {
  return median(more) - median(less)
}
