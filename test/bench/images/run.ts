/**
 * npm run bench:images [-- ROUNDS]: pulls, saves and loads beside dockerd 28 and podman, from one registry on loopback, in a network
 * namespace of its own; exits 1 when a row misses its budget. Needs dist/berth.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRegistry } from '../../support/registry.ts'
import { tempDirectory } from '../../support/temp.ts'
import { missesOf, type Row, renderRows } from '../table.ts'
import { type ImageName, seedImages } from './contents.ts'
import { type ImageEngines, openImageEngines } from './engines.ts'
import { measureLimits } from './limits.ts'
import { measurePulls } from './pulls.ts'
import { watchDaemon } from './watch.ts'

const marker = 'BERTH_BENCH_NETNS'
const own = readlinkSync('/proc/self/ns/net')
const root = join(import.meta.dirname, '../../..')

if (process.env[marker] === undefined || process.env[marker] === own) {
  const inside = spawnSync('unshare', ['--net', process.execPath, import.meta.filename, ...process.argv.slice(2)], {
    env: { ...process.env, [marker]: own },
    stdio: 'inherit',
  })
  process.exitCode = inside.status ?? 1
} else {
  process.exitCode = await main(Number(process.argv[2] ?? 5))
}

async function main(rounds: number): Promise<number> {
  if (!existsSync(join(root, 'dist/berth'))) {
    process.stderr.write('bench:images: there is no dist/berth; run `npm run build` first\n')
    return 1
  }
  spawnSync('ip', ['link', 'set', 'lo', 'up'], { stdio: 'inherit' })
  const storage = join(root, 'build/cache/bench-images')
  await seedImages(storage)
  await using directory = await tempDirectory('berth-bench-', '/var/tmp')
  await using registry = await startRegistry({ storage })
  await using engines = await openImageEngines(directory.path)

  const rows = [
    ...(await measurePulls(engines, 'small-files', { host: registry.host, rounds })),
    ...(await measurePulls(engines, 'large-layer', { host: registry.host, rounds })),
    ...(await watched(engines, `${registry.host}/large-layer:latest`)),
  ]
  process.stdout.write(`${renderRows(rows)}\n\n`)
  for (const name of ['small-files', 'large-layer'] as const) await tellLimits(name, storage, directory.path)
  const missed = missesOf(rows)
  for (const miss of missed) process.stderr.write(`bench:images: ${miss}\n`)
  return missed.length === 0 ? 0 : 1
}

async function watched({ ours }: ImageEngines, reference: string): Promise<Row[]> {
  const archive = join(ours.directory, 'watched.tar')
  // What a busy machine adds is seen here too.
  const resting = await watchDaemon(ours, () => sleep(2000))
  const pulling = await watchDaemon(ours, () => ours.pull(reference))
  await ours.save(reference, archive)
  await ours.remove(reference)
  const loading = await watchDaemon(ours, () => ours.load(archive))
  await ours.remove(reference)
  const row = (name: string, figure: number, unit: Row['unit'], budget: number): Row => {
    return { name, ours: figure, peer: undefined, unit, budget }
  }
  return [
    row('list of containers at rest, p99', resting.p99Ms, 'ms', Number.POSITIVE_INFINITY),
    ...Object.entries({ pulling, loading }).flatMap(([what, { growthMegabytes, p99Ms }]) => [
      row(`daemon while ${what}, more memory`, growthMegabytes, 'MB', 40),
      row(`list of containers while ${what}, p99`, p99Ms, 'ms', 20),
    ]),
  ]
}

async function tellLimits(name: ImageName, storage: string, directory: string): Promise<void> {
  const limits = await measureLimits(await layersOf(storage, name), directory)
  const figure = (value: number) => `${value.toFixed(0)} ms`
  process.stdout.write(
    `${name} at best: zlib on one core ${figure(limits.inflate)}, GNU tar ${figure(limits.untar)} (durable ${figure(limits.untarDurable)}), cp -a ${figure(limits.copy)}\n`,
  )
}

/** Blobs of one of the two images: the other one's are of other sizes. */
async function layersOf(storage: string, name: ImageName): Promise<string[]> {
  const blobs = join(storage, 'docker/registry/v2/blobs/sha256')
  const paths = (await readdir(blobs, { recursive: true })).filter((path) => path.endsWith('/data'))
  const layers: string[] = []
  for (const path of paths) {
    const { size } = await stat(join(blobs, path))
    if (size > 1 << 20 && size > 100 << 20 === (name === 'large-layer')) layers.push(join(blobs, path))
  }
  return layers
}
