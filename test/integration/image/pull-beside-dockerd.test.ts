/** Pulls tell of themselves in dockerd's words, in its order and with its fields; we add `overall`, and nothing else. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildImage, buildIndex, busyboxLayer } from '../../support/base-image.ts'
import { startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { type Dockerd, startDockerd } from '../../support/dockerd.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { tar } from '../../support/tar.ts'
import { tempDirectory } from '../../support/temp.ts'

const stack = new AsyncDisposableStack()
let peer: Dockerd
let ours: TestDaemon
let registry = ''

const base = busyboxLayer()
const layers = [1, 2, 3, 4].map((size) => tar([{ name: `noise${size}`, content: randomBytes(size << 20) }]))
const one = buildImage({ layers: [base, ...layers] })
const two = buildImage({ layers: [base, ...layers.slice(0, 2), tar([{ name: 'other', content: 'two' }])] })
const index = buildIndex([buildImage({ layers: [base], platform: { os: 'linux', architecture: 's390x' } })])

beforeAll(async () => {
  const { path } = stack.use(await tempDirectory('berth-dockerd-'))
  const storage = join(path, 'registry')
  await seedRegistry(storage, { 'a:one': one, 'a:two': two, 'i:latest': index })
  const theirs = stack.use(await startRegistry({ storage }))
  registry = theirs.host
  // Without networks it leaves the firewall alone.
  const quiet = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']
  peer = stack.use(await startDockerd(path, [...quiet, '--storage-driver', 'vfs']))
  ours = stack.use(await startDaemon({ withImage: false }))
  stack.use(await startRegistry({ storage, enter: ours.enter, port: Number(registry.split(':')[1]) }))
}, 120_000)
afterAll(() => stack.disposeAsync())

type Line = Readonly<Record<string, unknown>>

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly lines: readonly Line[]
}

async function pull(socketPath: string, image: string, query = ''): Promise<Answer> {
  const path = `/v1.51/images/create?fromImage=${encodeURIComponent(`${registry}/${image}`)}${query}`
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sent = request({ socketPath, method: 'POST', path, agent: false }, async (response) => {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const texts = Buffer.concat(chunks)
      .toString()
      .split(response.statusCode === 200 ? '\r\n' : '\n')
    const lines = texts.filter((text) => text !== '').map((text) => JSON.parse(text) as Line)
    resolve({ status: response.statusCode, type: response.headers['content-type'], lines })
  })
  sent.on('error', reject).end()
  return promise
}

async function both(image: string, query?: string): Promise<{ mine: Answer; theirs: Answer }> {
  const [mine, theirs] = await Promise.all([pull(ours.socket, image, query), pull(peer.host.slice(7), image, query)])
  return { mine, theirs }
}

/** dockerd does not tell of what has passed before it comes to tell it. */
const mayPass = /"status":"(Waiting|Downloading|Verifying Checksum|Extracting)"/

/** What both told, comparable: of the pull, in order; and of each layer, in order. How those are mixed is by chance. */
function told(answer: Answer, other: Answer): unknown {
  const others = new Set(toTexts(other).map(({ text }) => text))
  const told = toTexts(answer).filter(({ text }) => others.has(text) || !mayPass.test(text))
  const byId = Map.groupBy(told, ({ id }) => id).values()
  return { ...answer, lines: [...byId].map((ofOne) => withoutRepeats(ofOne.map(({ text }) => text))) }
}

function toTexts({ lines }: Answer): { readonly id: unknown; readonly text: string }[] {
  return lines.map((line) => ({ id: line.id, text: JSON.stringify(masked(line)) }))
}

/** How many bytes are there when a line is written is by chance. */
function masked({ overall: _, ...line }: Line): Line {
  const { progressDetail, progress } = line
  if (typeof progress !== 'string') return line
  const bar = progress.replace(/^\[=*> *\] +[\d.]+\w+\//, '[BAR] CURRENT/')
  return { ...line, progressDetail: { ...(progressDetail as object), current: 'CURRENT' }, progress: bar }
}

function withoutRepeats(texts: readonly string[]): string[] {
  return texts.filter((text, at) => text !== texts[at - 1])
}

test('a pull is told of as by dockerd: new, there already, in part, by digest, of all tags, and refused', async () => {
  const answers = {
    new: await both('a:one'),
    again: await both('a:one'),
    'in part': await both('a:two'),
    'by digest': await both(`a@${two.root.digest}`),
    'all tags': await both('a'),
    'no tag': await both('a:nope'),
    'no repository': await both('nope:x'),
    'another platform': await both('i:latest'),
  }
  for (const [what, { mine, theirs }] of Object.entries(answers)) {
    expect.soft({ what, told: told(mine, theirs) }).toEqual({ what, told: told(theirs, mine) })
  }
  const downloads = answers.new.mine.lines.filter(({ status }) => /^Download/.test(`${status}`))
  const total = one.layers.reduce((sum, { size }) => sum + size, 0)
  expect(downloads.length).toBeGreaterThan(5)
  for (const { overall } of downloads) expect(overall).toMatchObject({ current: expect.any(Number), total })
  expect(downloads.at(-1)?.overall).toMatchObject({ current: total })
})
