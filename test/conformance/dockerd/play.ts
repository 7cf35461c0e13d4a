import { waitFor } from '../../support/wait-for.ts'
import { type Exchange, exchange, type Json, readBody } from './exchange.ts'
import { maskBody, maskText } from './mask.ts'
import type { Script, Step } from './step.ts'

/** An engine that scripts are played to. It has the image `busybox`. */
export interface Target {
  readonly socket: string
  /** Below which it keeps its files. */
  readonly directory: string
  /** The host and port of a registry that has `library/busybox`. */
  readonly registry: string
}

/** What is compared and recorded of one step. */
export interface Played {
  readonly request: string
  readonly body?: Json
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly answer: Json
}

export const versions = ['1.41', '1.44', '1.51'] as const
export type Version = (typeof versions)[number]

/** Headers that clients read; the others are the transport's own (lengths, dates, keep-alive). */
const comparedHeaders = [
  ...['api-version', 'docker-experimental', 'ostype', 'server', 'content-type', 'connection', 'upgrade', 'location'],
  ...['x-docker-container-path-stat', 'cache-control', 'pragma', 'builder-version', 'swarm'],
]

/** Sends the requests of a script one after the other and takes away what they leave behind. */
export async function play(target: Target, { name, steps }: Script, version: Version): Promise<Played[]> {
  const player = new Player(target, version)
  await player.nameImage()
  const played: Played[] = []
  for (const step of steps) {
    try {
      played.push(await player.play(step))
    } catch (cause) {
      throw new Error(`script ${name}, ${step.method} ${step.path} at ${version}`, { cause })
    }
  }
  await player.clear()
  return played
}

class Player {
  readonly #target: Target
  readonly #version: Version
  /** What this run calls something → its name in the script. */
  readonly #names = new Map<string, string>()
  readonly #ids = new Map<string, string>()
  readonly #startedAt = Date.now() / 1000

  constructor(target: Target, version: Version) {
    this.#target = target
    this.#version = version
    this.#names.set(target.directory, '<directory>')
    this.#names.set(target.registry, '<registry>')
    this.#ids.set('registry', target.registry)
  }

  async nameImage(): Promise<void> {
    const { bytes } = await this.#send('GET', '/images/busybox/json')
    const { Id, RootFS } = JSON.parse(bytes.toString()) as { Id: string; RootFS: { Layers: string[] } }
    this.#names.set(Id.replace('sha256:', ''), '<busybox>')
    this.#names.set(Id.slice(7, 19), '<busybox short>')
    for (const [index, layer] of RootFS.Layers.entries()) this.#names.set(layer, `<layer ${index}>`)
  }

  async play(step: Step): Promise<Played> {
    const path = this.#fill(step.path)
    const operation = `${step.method} ${step.path.split('?')[0]}`
    const ask = () => this.#send(step.method, step.bare ? path : `/v${this.#version}${path}`, step)
    let answer = await ask()
    const { until } = step
    if (until !== undefined) {
      await waitFor(`${until} in the answer to ${operation}`, async () => {
        const there = answer.bytes.includes(until)
        if (!there) answer = await ask()
        return there
      })
    }
    const body = readBody(answer, step.frames === true)
    if (step.save !== undefined) this.#save(step.save, body)
    return {
      request: `${step.method} ${step.path}`,
      ...(step.body !== undefined && { body: Buffer.isBuffer(step.body) ? '<archive>' : (step.body as Json) }),
      status: answer.status,
      headers: this.#headersOf(answer),
      answer: maskBody(operation, body, this.#names),
    }
  }

  /** Containers, networks, volumes and names of images, all but the first image. */
  async clear(): Promise<void> {
    const list = async <T>(path: string) => JSON.parse((await this.#send('GET', path)).bytes.toString()) as T
    for (const { Id } of await list<{ Id: string }[]>('/containers/json?all=1'))
      await this.#send('DELETE', `/containers/${Id}?force=1&v=1`)
    for (const { Id, Name } of await list<{ Id: string; Name: string }[]>('/networks')) {
      if (!['bridge', 'host', 'none'].includes(Name)) await this.#send('DELETE', `/networks/${Id}`)
    }
    for (const { Name } of (await list<{ Volumes: { Name: string }[] | null }>('/volumes')).Volumes ?? [])
      await this.#send('DELETE', `/volumes/${Name}`)
    for (const { Id, RepoTags } of await list<{ Id: string; RepoTags: string[] | null }[]>('/images/json')) {
      const tags = RepoTags ?? []
      for (const tag of tags.length === 0 ? [Id] : tags)
        if (tag !== 'busybox:latest') await this.#send('DELETE', `/images/${encodeURIComponent(tag)}`)
    }
  }

  #save(name: string, body: Json): void {
    const { Id } = (body ?? {}) as { Id?: string }
    if (typeof Id !== 'string') return
    const id = Id.replace('sha256:', '')
    this.#ids.set(name, id)
    this.#names.set(id, `<${name}>`)
    this.#names.set(id.slice(0, 12), `<${name} short>`)
  }

  #headersOf({ headers }: Exchange): Record<string, string> {
    const kept = comparedHeaders.flatMap((name) => {
      const value = headers[name]
      if (value === undefined || (name === 'connection' && value !== 'Upgrade' && value !== 'upgrade')) return []
      return [[name, name === 'server' ? '<server>' : maskText(String(value), this.#names)]]
    })
    return Object.fromEntries(kept) as Record<string, string>
  }

  /** Names in braces become ids; `{start}` and `{now}` are seconds. */
  #fill(text: string): string {
    return text.replaceAll(/\{(\w[\w-]*)(:short)?\}/g, (whole, name: string, short?: string) => {
      if (name === 'start') return this.#startedAt.toFixed(9)
      if (name === 'now') return (Date.now() / 1000 + 0.001).toFixed(9)
      const id = this.#ids.get(name)
      return id === undefined ? whole : short === undefined ? id : id.slice(0, 12)
    })
  }

  #send(method: string, path: string, { body, headers = {}, input }: Partial<Step> = {}): Promise<Exchange> {
    const isArchive = Buffer.isBuffer(body)
    const text = body === undefined || isArchive || typeof body === 'string' ? body : this.#fill(JSON.stringify(body))
    const type = body === undefined ? {} : { 'Content-Type': isArchive ? 'application/x-tar' : 'application/json' }
    return exchange(this.#target.socket, {
      method,
      path: encodeURI(path).replaceAll('%25', '%'),
      headers: { Host: 'docker', ...type, ...headers },
      body: text as string | Buffer | undefined,
      input,
    })
  }
}
