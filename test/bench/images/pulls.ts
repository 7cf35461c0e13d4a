import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { median, timeProcess } from '../measure.ts'
import type { Row } from '../table.ts'
import type { ImageName } from './contents.ts'
import type { ImageEngine, ImageEngines } from './engines.ts'

type Ratios = Readonly<Record<string, number>>

/** Largest ratios to each peer. They follow from seconds, beside the peers' on the machine where they were set: 0.9 usable and 1.5 durable; 1.2. */
const budgets: Readonly<Record<ImageName, Readonly<Record<'usable' | 'durable' | 'saved' | 'loaded', Ratios>>>> = {
  'small-files': {
    usable: { 'dockerd 28': 0.14, podman: 0.43 },
    durable: { 'dockerd 28': 0.23, podman: 0.71 },
    saved: { 'dockerd 28': 0.5 },
    loaded: {},
  },
  'large-layer': {
    usable: { 'dockerd 28': 0.57, podman: 0.67 },
    durable: {},
    saved: { 'dockerd 28': 0.5 },
    loaded: {},
  },
}

interface Times {
  readonly engine: ImageEngine
  readonly usable: number[]
  readonly durable: number[]
  readonly saved: number[]
  readonly loaded: number[]
}

/** Engines take turns. A pull is timed until its command ends (usable) and until its file system is written out (durable). */
export async function measurePulls(
  { ours, peers }: ImageEngines,
  name: ImageName,
  { host, rounds }: { readonly host: string; readonly rounds: number },
): Promise<Row[]> {
  const toTimes = (engine: ImageEngine): Times => ({ engine, usable: [], durable: [], saved: [], loaded: [] })
  const own = toTimes(ours)
  const others = peers.map(toTimes)
  for (let round = -1; round < rounds; round += 1) {
    // The first round warms up.
    for (const times of [...others, own]) {
      await pullOnce(round < 0 ? toTimes(times.engine) : times, `${host}/${name}:latest`, round >= 0)
    }
  }
  return others.flatMap((other) => rowsOf(name, own, other))
}

async function pullOnce(times: Times, reference: string, saves: boolean): Promise<void> {
  const { engine, usable, durable } = times
  await timeProcess('sync', ['-f', engine.directory])
  const pulled = await engine.pull(reference)
  usable.push(pulled)
  durable.push(pulled + (await timeProcess('sync', ['-f', engine.directory])))
  if (saves) await saveAndLoad(times, reference)
  await engine.remove(reference)
}

async function saveAndLoad({ engine, saved, loaded }: Times, reference: string): Promise<void> {
  const archive = join(engine.directory, 'saved.tar')
  const time = await engine.save(reference, archive)
  if (time === undefined) return
  saved.push(time)
  await engine.remove(reference)
  await timeProcess('sync', ['-f', engine.directory])
  loaded.push(await engine.load(archive))
  await rm(archive, { force: true })
}

function rowsOf(image: ImageName, own: Times, other: Times): Row[] {
  const { name } = other.engine
  return (['usable', 'durable', 'saved', 'loaded'] as const)
    .filter((what) => own[what].length > 0 && other[what].length > 0)
    .map((what) => ({
      name: `${image}, ${what}`,
      ours: median(own[what]),
      peer: { name, value: median(other[what]) },
      unit: 'ms',
      budget: budgets[image][what][name] ?? Number.POSITIVE_INFINITY,
    }))
}
