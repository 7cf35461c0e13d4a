import { isKind } from '#base/errors.ts'
import { Filters } from '#base/filters.ts'
import type { CheckSummary, Finding } from '#images/check/check-event.ts'
import { contentOf, ImageStore } from '#images/store/image-store.ts'
import { buildImage, type TestImage } from '../support/base-image.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { openTestImages, type TestImages } from '../support/images.ts'
import { startRegistry } from '../support/registry.ts'
import { tar } from '../support/tar.ts'
import { commitImage } from './commit-image.ts'
import { random } from './random.ts'

export interface StormReport {
  readonly pulls: number
  readonly removals: number
  readonly prunes: number
  readonly commits: number
  /** Requests for layers while all images were pulled at once into an empty store, and how many layers there are. */
  readonly firstFetches: number
  readonly layers: number
  /** Blobs and snapshots that are there without an image that needs them, or needed and not there. */
  readonly inexact: readonly string[]
  readonly findings: readonly Finding[]
  readonly summary: CheckSummary | undefined
  /** When every image is removed. */
  readonly left: Awaited<ReturnType<TestImages['footprint']>>
}

const workers = 50
const imageCount = 24

/** Fifty at a time pull images that share layers, remove, tag, commit and prune them; then everything is counted. */
export async function runPullStorm({ seconds, seed }: { seconds: number; seed: number }): Promise<StormReport> {
  await using registry = await startRegistry()
  await using proxy = await startFaultProxy(registry.host, () => undefined)
  await using images = await openTestImages({ isPatient: true })
  const made = makeImages()
  for (const [n, image] of made.entries()) await registry.push(`app:${n}`, image)
  const nameOf = (n: number) => `${proxy.host}/app:${n}`

  await Promise.all(Array.from({ length: workers }, (_, n) => images.pull(nameOf(n % imageCount))))
  const layers = new Set(made.flatMap((image) => image.layers.map(({ digest }) => digest as string)))
  const asked = proxy.requests.filter(({ method }) => method === 'GET')
  const firstFetches = asked.filter(({ path }) => layers.has(path.split('/').at(-1) ?? '')).length

  const done = { pulls: 0, removals: 0, prunes: 0, commits: 0 }
  const commit = (worker: number, name: string, chance: number) =>
    commitImage(images, name, { file: { name: 'file', content: Buffer.from(`${chance}`) }, reference: `new:${worker}` })
  const end = performance.now() + seconds * 1000
  const work = async (worker: number) => {
    const next = random(seed * 1000 + worker)
    while (performance.now() < end) {
      const name = nameOf(Math.trunc(next() * imageCount))
      const what = next()
      if (what < 0.6) done.pulls += await count(images.pull(name))
      else if (what < 0.8) done.removals += await ifPossible(images.service.remove(name, removal(next())))
      else if (what < 0.9) done.commits += await ifPossible(commit(worker, name, next()))
      else if (what < 0.95) await ifPossible(images.service.tag(name, images.parse(`other:${worker}`)))
      else done.prunes += await ifPossible(images.service.prune(dangling(next() < 0.2), new AbortController().signal))
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  const inexact = await differences(images)
  const { findings, summary } = await check(images)
  for (const { id } of images.service.list(images.noFilters)) {
    await images.service.remove(id, { force: true, noPrune: false })
  }
  return { ...done, firstFetches, layers: layers.size, inexact, findings, summary, left: await images.footprint() }
}

/** Four stacks of layers; each image is a stack up to some height, some with a layer of their own. */
function makeImages(): TestImage[] {
  const layer = (text: string) => tar([{ name: text, content: text.repeat(5000) }])
  return Array.from({ length: imageCount }, (_, n) => {
    const stack = Array.from({ length: 1 + (n % 6) }, (_, height) => layer(`stack${n % 4}-${height}`))
    return buildImage({ layers: n % 3 === 0 ? [...stack, layer(`own${n}`)] : stack, author: `${n}` })
  })
}

const removal = (chance: number) => ({ force: chance < 0.5, noPrune: false })
const dangling = (only: boolean) => new Filters(new Map([['dangling', [String(!only)]]]))

async function count(work: Promise<unknown>): Promise<number> {
  await work
  return 1
}

/** What is not there, in use or being pruned by somebody else is no failure. */
async function ifPossible(work: Promise<unknown>): Promise<number> {
  try {
    return await count(work)
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'conflict')) return 0
    throw error
  }
}

/** What is on the disk against what the listed images need. */
async function differences(images: TestImages): Promise<string[]> {
  const rows = new ImageStore(images.database).list()
  const chains = new Set<string>(rows.flatMap(({ layers }) => layers.map(({ chainId }) => chainId)))
  const needed = new Set<string>(rows.flatMap(contentOf).filter((key) => !chains.has(key) || isBlobToo(rows, key)))
  const { blobs, snapshots } = await images.contents()
  return [...symmetric(new Set(blobs), needed), ...symmetric(new Set(snapshots), chains)]
}

function isBlobToo(rows: ReturnType<ImageStore['list']>, key: string): boolean {
  return rows.some(({ layers }) => layers.some(({ descriptor }) => descriptor.digest === key))
}

function symmetric(found: ReadonlySet<string>, needed: ReadonlySet<string>): string[] {
  return [...found.symmetricDifference(needed)].map((key) => `${found.has(key) ? 'unneeded' : 'missing'} ${key}`)
}

async function check(images: TestImages): Promise<Pick<StormReport, 'findings' | 'summary'>> {
  await images.snapshots.flush()
  const findings: Finding[] = []
  let summary: CheckSummary | undefined
  for await (const event of images.service.check({ repair: false }, new AbortController().signal)) {
    if ('finding' in event) findings.push(event.finding)
    if ('summary' in event) summary = event.summary
  }
  return { findings, summary }
}
