/**
 * npm run soak -- powercut [--cuts N] [--seed N] [--seconds N]: images are pulled, loaded, committed and removed on a disk that logs every write; the log is then
 * replayed up to random points, of what was not flushed a random part, and each time the data root must open, and hold what it lists. Exits 1 else.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openTestImages, type TestImages } from '../../support/images.ts'
import { startRegistry } from '../../support/registry.ts'
import { random } from '../random.ts'
import { committedFile, type LayerFile, powercutImages } from './images.ts'
import { mountImage, openLoggedDisk, unmount } from './logged-disk.ts'
import { type LoggedWrite, readWriteLog, replayUntil } from './write-log.ts'

const made = powercutImages()
/** Of one cut: what is lost is often lost whole. */
const maxTold = 5
const marker = 'BERTH_POWERCUT_MOUNTS'
const own = readlinkSync('/proc/self/ns/mnt')

if (process.env[marker] === undefined || process.env[marker] === own) {
  const words = ['-m', '--propagation', 'private', process.execPath, import.meta.filename, ...process.argv.slice(2)]
  const inside = spawnSync('unshare', words, { env: { ...process.env, [marker]: own }, stdio: 'inherit' })
  process.exitCode = inside.status ?? 1
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { cuts: text, seed: text, seconds: text } })
  const seed = Number(values.seed ?? Date.now() % 100_000)
  const directory = mkdtempSync(join(tmpdir(), 'berth-powercut-'))
  try {
    const { base, log } = await record(directory, { seed, seconds: Number(values.seconds ?? 20) })
    const writes = readWriteLog(log)
    process.stdout.write(
      `seed ${seed}: ${writes.length} requests, ${writes.filter((one) => one.isFlush).length} flushes\n`,
    )
    return await cutOften(directory, { base, writes, seed, cuts: Number(values.cuts ?? 200) })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function record(directory: string, { seed, seconds }: { seed: number; seconds: number }) {
  await using registry = await startRegistry()
  for (const [n, { image }] of made.entries()) await registry.push(`app:${n}`, image)
  await using disk = await openLoggedDisk(directory)
  const program = join(import.meta.dirname, 'work.ts')
  const words = [program, join(disk.path, 'data'), registry.host, `${seed}`, `${seconds}`]
  const worker = spawn(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, killedBy] = await once(worker, 'exit')
  const logged = await disk.end()
  if (killedBy !== 'SIGKILL') throw new Error('the work ended early')
  return logged
}

/** After a cut. */
interface Found {
  readonly images: number
  /** Of them. */
  readonly committed: number
  readonly problems: string[]
}

interface Cuts {
  readonly base: string
  readonly writes: readonly LoggedWrite[]
  readonly seed: number
  readonly cuts: number
}

async function cutOften(directory: string, { base, writes, seed, cuts }: Cuts): Promise<number> {
  const next = random(seed)
  let [wrong, listed, committed] = [0, 0, 0]
  for (let n = 0; n < cuts; n += 1) {
    const cut = 1 + Math.trunc(next() * writes.length)
    const share = next()
    const disk = join(directory, 'cut.img')
    execFileSync('cp', ['--sparse=always', base, disk])
    replayUntil(disk, writes, cut, () => next() < share)
    const found = await examine(directory, disk)
    listed += found.images
    committed += found.committed
    wrong += found.problems.length > 0 ? 1 : 0
    for (const problem of found.problems.slice(0, maxTold))
      process.stdout.write(`cut ${n} after ${cut} requests: ${problem}\n`)
  }
  process.stdout.write(`${cuts} cuts, ${listed} images (${committed} committed) listed after them, ${wrong} wrong\n`)
  return wrong === 0 && listed > 0 ? 0 : 1
}

/** Mounts the disk, as the next boot would, and opens the data root on it. */
async function examine(directory: string, disk: string): Promise<Found> {
  const path = join(directory, 'after')
  mkdirSync(path, { recursive: true })
  mountImage(disk, path)
  try {
    return await openAndCheck(join(path, 'data'))
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors : [error]
    return { images: 0, committed: 0, problems: [`the data root does not open: ${reasons.map(String).join('; ')}`] }
  } finally {
    await unmount(path)
  }
}

async function openAndCheck(root: string): Promise<Found> {
  await using images = await openTestImages({ root, bootId: 'the boot after the cut' })
  const problems: string[] = []
  for await (const event of images.service.check({ repair: false }, new AbortController().signal)) {
    // Of a container that was being made, nothing was promised: its loss is told of.
    if ('finding' in event && event.finding.object !== 'container') problems.push(JSON.stringify(event.finding))
  }
  const blobs = join(root, 'content/blobs/sha256')
  for (const name of readdirSync(blobs))
    if (statSync(join(blobs, name)).size === 0) problems.push(`blob ${name} is empty`)
  const listed = images.service.list(images.noFilters)
  const committed = listed.filter(({ id }) => !made.some(({ image }) => image.id === id)).length
  for (const { id } of listed) problems.push(...(await wrongFiles(images, id)))
  return { images: listed.length, committed, problems }
}

/** Against what was made, whatever the store has recorded. */
async function wrongFiles(images: TestImages, id: string): Promise<string[]> {
  const files = filesOf(images, id)
  if (!files) return [`image ${id} was never made`]
  const key = `look-${id}`
  const view = await images.snapshots.view(key, images.service.get(id).chainId ?? '')
  const layers = view.kind === 'directory' ? [view.path] : view.lower
  const isThere = ({ name, content }: LayerFile) =>
    layers.some((layer) => existsSync(join(layer, name)) && readFileSync(join(layer, name)).equals(content))
  const wrong = files.filter((file) => !isThere(file)).map(({ name }) => `image ${id}: ${name} is damaged`)
  await images.snapshots.remove(key)
  return wrong
}

function filesOf(images: TestImages, id: string): readonly LayerFile[] | undefined {
  const known = made.find(({ image }) => image.id === id)
  const [{ comment = '' } = {}] = images.service.history(id)
  if (known || comment === '') return known?.files
  const { of, number } = JSON.parse(comment) as { of: number; number: number }
  return [...(made[of]?.files ?? []), committedFile(number)]
}
