import { mkdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { busybox, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

/** A request of the world's own that takes longer has found a hang. */
const answersWithinMs = 120_000
const predefined = ['bridge', 'host', 'none']
const network = 'fuzz-net'
const volume = 'fuzz-vol'

interface Listed {
  readonly Id: string
  readonly Names: readonly string[]
  readonly State: string
}

/** Ends at the first SIGTERM, so that stopping it takes no time. */
const obedient = ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"]

const wanted: readonly { readonly name: string; readonly state: string; readonly verbs: readonly string[] }[] = [
  { name: 'running', state: 'running', verbs: ['start'] },
  { name: 'stopped', state: 'created', verbs: [] },
  { name: 'paused', state: 'paused', verbs: ['start', 'pause'] },
]

/** What the requests of a campaign are about: three containers, an exec, a network, a volume and an image. */
export class World {
  readonly #daemon: TestDaemon
  readonly #image: Buffer
  readonly #ids = new Map<string, string>()

  private constructor(daemon: TestDaemon, image: Buffer) {
    this.#daemon = daemon
    this.#image = image
  }

  static async open(daemon: TestDaemon): Promise<World> {
    const scratch = join(daemon.directory, 'scratch')
    await mkdir(scratch)
    const { bytes } = await send(daemon, 'GET', `/images/${busybox}/get`)
    const world = new World(daemon, bytes)
    world.#ids.set('scratch', scratch)
    await world.restock()
    return world
  }

  /** Ids for words in `@`: `@running@`, or of it twelve digits, `@running:12@`. */
  fill(text: string): string {
    return text.replaceAll(/@(\w+)(?::(\d+))?@/g, (word, name: string, digits?: string) =>
      (this.#ids.get(name) ?? word).slice(0, digits === undefined ? undefined : Number(digits)),
    )
  }

  /** Removes what was made since, and makes again what is gone.   @throws when the daemon does not do it */
  async restock(): Promise<void> {
    await persistently(() => this.#restock())
  }

  /** All containers go too.   @throws when the daemon does not do it */
  async clear(): Promise<void> {
    await persistently(() => this.#clear())
  }

  async #restock(): Promise<void> {
    await this.#restockContainers()
    await this.#restockNetworks()
    await this.#restockVolumes()
    await this.#restockImages()
    for (const { name, state, verbs } of wanted) {
      const kept = await this.#kept(name, state)
      this.#ids.set(name, kept ?? (await this.#make(name, verbs)))
    }
    const exec = await this.#ask('POST', '/containers/fuzz-running/exec', { Cmd: ['true'], AttachStdout: true })
    this.#ids.set('exec', (exec as { Id: string }).Id)
  }

  async #clear(): Promise<void> {
    for (const { Id } of await this.#list()) await this.#ask('DELETE', `/containers/${Id}?force=1&v=1`)
    await this.#restockNetworks()
    await this.#restockVolumes()
    await this.#restockImages()
  }

  async #restockContainers(): Promise<void> {
    for (const { Id, Names, State } of await this.#list()) {
      if (wanted.some(({ name, state }) => Names[0] === `/fuzz-${name}` && State === state)) continue
      await this.#ask('DELETE', `/containers/${Id}?force=1&v=1`)
    }
  }

  async #restockNetworks(): Promise<void> {
    const networks = (await this.#ask('GET', '/networks')) as { Id: string; Name: string }[]
    const strange = networks.filter(({ Name }) => !predefined.includes(Name) && Name !== network)
    for (const { Id } of strange) await this.#ask('DELETE', `/networks/${Id}`)
    const kept = networks.find(({ Name }) => Name === network)
    const { Id } = kept ?? ((await this.#ask('POST', '/networks/create', { Name: network })) as { Id: string })
    this.#ids.set('net', Id)
  }

  async #restockVolumes(): Promise<void> {
    const { Volumes } = (await this.#ask('GET', '/volumes')) as { Volumes: { Name: string }[] }
    const strange = Volumes.filter(({ Name }) => Name !== volume)
    for (const { Name } of strange) await this.#ask('DELETE', `/volumes/${encodeURIComponent(Name)}?force=1`)
    await this.#ask('POST', '/volumes/create', { Name: volume })
  }

  async #restockImages(): Promise<void> {
    const images = (await this.#ask('GET', '/images/json')) as { Id: string; RepoTags: string[] }[]
    const isKept = (tags: readonly string[]) => tags.includes(`${busybox}:latest`)
    for (const { Id, RepoTags } of images) {
      for (const tag of RepoTags.filter((one) => one !== `${busybox}:latest`))
        await this.#ask('DELETE', `/images/${tag}?force=1`)
      if (RepoTags.length === 0 && Id !== `sha256:${this.#ids.get('image')}`)
        await this.#ask('DELETE', `/images/${Id}?force=1`)
    }
    if (!images.some(({ RepoTags }) => isKept(RepoTags))) await send(this.#daemon, 'POST', '/images/load', this.#image)
    const { Id } = (await this.#ask('GET', `/images/${busybox}/json`)) as { Id: string }
    this.#ids.set('image', Id.slice('sha256:'.length))
  }

  /** Its id; one in another state goes. */
  async #kept(name: string, state: string): Promise<string | undefined> {
    const found = (await this.#list()).find(({ Names }) => Names[0] === `/fuzz-${name}`)
    if (found === undefined || found.State === state) return found?.Id
    await this.#ask('DELETE', `/containers/${found.Id}?force=1&v=1`)
    return undefined
  }

  async #make(name: string, verbs: readonly string[]): Promise<string> {
    const body = { Image: busybox, Cmd: obedient, HostConfig: { NetworkMode: network, Binds: [`${volume}:/fuzz`] } }
    const { Id } = (await this.#ask('POST', `/containers/create?name=fuzz-${name}`, body)) as { Id: string }
    for (const verb of verbs) await this.#ask('POST', `/containers/${Id}/${verb}`)
    return Id
  }

  async #list(): Promise<Listed[]> {
    return (await this.#ask('GET', '/containers/json?all=1')) as Listed[]
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const { bytes } = await send(
      this.#daemon,
      method,
      path,
      body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    )
    const text = bytes.toString()
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  }
}

/** Requests that nobody waited for may go on: a stop that takes its time stands in the way until it is over. */
async function persistently(work: () => Promise<void>): Promise<void> {
  let problem: unknown
  const isDone = () =>
    work().then(
      () => true,
      (error: unknown) => {
        problem = error
        return false
      },
    )
  await waitFor('the daemon does what it is asked', isDone, { timeoutMs: answersWithinMs }).catch(() => {
    throw problem
  })
}

/** @throws when the answer is none, or an error but for what is gone already */
async function send(
  daemon: TestDaemon,
  method: string,
  path: string,
  body?: Buffer,
): Promise<{ readonly bytes: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly bytes: Buffer }>()
  const what = `${method} ${path} ${body === undefined || body.length > 1000 ? '' : body.toString()}`
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length }
  const signal = AbortSignal.timeout(answersWithinMs)
  const sent = request({ socketPath: daemon.socket, method, path, headers, agent: false, signal })
  sent.on('response', (response) => {
    buffer(response).then((bytes) => {
      const status = response.statusCode ?? 0
      if (status < 300 || status === 304 || (status === 404 && method === 'DELETE')) resolve({ bytes })
      else reject(new Error(`${what}: ${status} ${bytes.toString()}`))
    }, reject)
  })
  sent.on('error', (cause) => reject(new Error(what, { cause })))
  sent.end(body)
  return promise
}
