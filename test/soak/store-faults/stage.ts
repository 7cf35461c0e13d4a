import { readdir, readFile, readlink } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { buildImage } from '../../support/base-image.ts'
import { startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { tar } from '../../support/tar.ts'
import { waitFor } from '../../support/wait-for.ts'
import { random } from '../random.ts'

export interface Stage extends AsyncDisposable {
  readonly daemon: TestDaemon
  /** What can be pulled. */
  readonly image: string
  /** @returns what went wrong, in the engine's words */
  ask(method: string, path: string, body?: Uint8Array): Promise<string | undefined>
  look(): Promise<StoreState>
  /** Names of downloads that can be taken up. */
  partials(): Promise<string[]>
}

/** Everything that a verb on images may leave, comparable as text. */
export interface StoreState {
  readonly tags: readonly string[]
  readonly blobs: number
  /** Without downloads that can be taken up. */
  readonly ingests: number
  readonly snapshots: number
  /** Open files of the data root. */
  readonly files: readonly string[]
  readonly children: number
}

const answersWithinMs = 30_000
const host = '127.0.0.1:5000'

/** An image with a layer that is unpacked while it arrives, and one that is not. */
export function faultyImage() {
  const next = random(3)
  const large = Buffer.from(Uint8Array.from({ length: 5 << 19 }, () => next() * 256))
  const layers = [tar([{ name: 'large', content: large }]), tar([{ name: 'etc/small', content: 'small' }])]
  return buildImage({ layers })
}

/** A daemon and a registry in a network of their own. */
export async function openStage(): Promise<Stage> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon())
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, { 'app:latest': faultyImage() })
  undo.use(await startRegistry({ storage, enter: daemon.enter, port: 5000 }))
  const resources = undo.move()
  return {
    daemon,
    image: `${host}/app:latest`,
    ask: (method, path, body) => ask(daemon.socket, method, path, body),
    look: () => look(daemon),
    partials: async () => (await readdir(join(daemon.dataRoot, 'content/ingest'))).filter(isPartial),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function ask(socketPath: string, method: string, path: string, body?: Uint8Array): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  const signal = AbortSignal.timeout(answersWithinMs)
  const sent = request({ socketPath, method, path, signal, agent: false }, async (response) => {
    try {
      const text = (await buffer(response)).toString()
      resolve(failureIn(response.statusCode ?? 0, text))
    } catch (error) {
      reject(error)
    }
  })
  sent.once('error', reject)
  if (body) sent.setHeader('content-type', 'application/x-tar')
  sent.end(body)
  return await promise
}

function failureIn(status: number, text: string): string | undefined {
  if (status >= 400) return String((JSON.parse(text) as { message: unknown }).message)
  const last = text.trim().split('\n').at(-1) ?? ''
  return last.includes('"errorDetail"') ? (JSON.parse(last) as { error: string }).error : undefined
}

async function look(daemon: TestDaemon): Promise<StoreState> {
  const { body } = await daemon.request('GET', '/images/json')
  const images = JSON.parse(body) as { RepoTags: string[] }[]
  const names = async (path: string) => readdir(join(daemon.dataRoot, path))
  return {
    tags: images.flatMap(({ RepoTags }) => (RepoTags.length > 0 ? RepoTags : ['<none>'])).sort(),
    blobs: (await names('content/blobs/sha256')).length,
    ingests: (await names('content/ingest')).filter((name) => !isPartial(name)).length,
    snapshots: (await names('snapshots')).length,
    files: await openFiles(daemon),
    children: (await childrenOf(daemon.pid)).length,
  }
}

const isPartial = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

async function openFiles({ pid, dataRoot }: TestDaemon): Promise<string[]> {
  const found: string[] = []
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const path = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
    // The log of the database is opened by the first who waits for it.
    if (path.startsWith(dataRoot) && !path.includes('/state.db')) found.push(path.slice(dataRoot.length))
  }
  return found.sort()
}

/** Without shims that wait for a container. */
async function childrenOf(pid: number): Promise<string[]> {
  const tasks = await readdir(`/proc/${pid}/task`)
  const texts = await Promise.all(tasks.map((task) => textOf(`/proc/${pid}/task/${task}/children`)))
  const children = texts.flatMap((text) => text.split(' ').filter(Boolean))
  const names = await Promise.all(children.map((child) => textOf(`/proc/${child}/comm`)))
  return children.filter((_, index) => names[index] !== '' && names[index] !== 'berth-shim\n')
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => '')

/** Waits until the store is one of these.   @returns what differs after all that time */
export async function untilState(stage: Stage, wanted: readonly StoreState[]): Promise<string[]> {
  let last: StoreState | undefined
  const texts = wanted.map((one) => JSON.stringify(one))
  const isThere = async () => {
    last = await stage.look()
    return texts.includes(JSON.stringify(last))
  }
  try {
    await waitFor('the store is as it was', isThere, { timeoutMs: 60_000 })
    return []
  } catch {
    const found = last
    return found ? wanted.map((one) => differences(one, found).join(', ')) : ['it does not answer']
  }
}

function differences(before: StoreState, after: StoreState): string[] {
  return (Object.keys(before) as (keyof StoreState)[]).flatMap((key) => {
    const [left, right] = [before[key], after[key]].map((one) => JSON.stringify(one))
    return left === right ? [] : [`${key}: ${left} before, ${right} after`]
  })
}
