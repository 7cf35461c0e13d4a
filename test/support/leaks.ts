import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a run may leave behind on a machine, as sorted lists of names. */
export interface Footprint {
  readonly mounts: readonly string[]
  readonly links: readonly string[]
  readonly netns: readonly string[]
  /** Without those that all engines share and leave, since another one may be about to use them. */
  readonly cgroups: readonly string[]
  readonly nftTables: readonly string[]
  readonly processes: readonly string[]
  readonly tmp: readonly string[]
  readonly run: readonly string[]
}

/** Every process that a test run starts inherits this variable, unless it is a container's. */
export const runMarker = 'BERTH_TEST_RUN'

export function takeFootprint(): Footprint {
  const processes = processList()
  return {
    mounts: lines('/proc/self/mountinfo').map((line) => line.split(' ').slice(3, 6).join(' ')),
    links: names('/sys/class/net'),
    netns: [...names('/run/netns'), ...processes.flatMap(({ netns }) => (netns === undefined ? [] : [netns]))]
      .filter(isFirst)
      .sort(),
    cgroups: cgroups('/sys/fs/cgroup', 6).filter((path) => !/\/berth(\/shims)?$/.test(path)),
    nftTables: run('nft', ['list', 'tables']).split('\n').filter(Boolean).sort(),
    processes: processes.filter(({ ours }) => ours).map(({ pid, text }) => `${pid} ${text}`),
    tmp: names('/tmp'),
    run: names('/run').filter((name) => name !== 'lock'),
  }
}

/** What `after` has and `before` had not, one line each; empty: nothing leaked. */
export function leaksBetween(before: Footprint, after: Footprint): string[] {
  return (Object.keys(before) as (keyof Footprint)[]).flatMap((kind) => {
    const known = new Set(before[kind])
    return after[kind].filter((one) => !known.has(one)).map((one) => `${kind}: ${one}`)
  })
}

const isFirst = (value: string, index: number, all: readonly string[]): boolean => all.indexOf(value) === index

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : []
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).sort()
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' })
}

function cgroups(directory: string, depth: number): string[] {
  if (depth === 0) return []
  // One that another engine removes meanwhile is not there.
  return (attempt(() => readdirSync(directory, { withFileTypes: true })) ?? [])
    .filter((entry) => entry.isDirectory() && entry.name !== 'process_api')
    .flatMap(({ name }) => [join(directory, name), ...cgroups(join(directory, name), depth - 1)])
}

interface Process {
  readonly pid: number
  readonly text: string
  readonly ours: boolean
  readonly netns: string | undefined
}

/** Living processes; zombies hold nothing but their number, and some machines' init never collects them. */
function processList(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const directory = join('/proc', name)
      const stat = attempt(() => readFileSync(join(directory, 'stat'), 'utf8'))
      if (stat === undefined || /\) [ZX] /.test(stat)) return []
      const text = (attempt(() => readFileSync(join(directory, 'cmdline'), 'utf8')) ?? '').replaceAll('\0', ' ').trim()
      const environment = attempt(() => readFileSync(join(directory, 'environ'), 'utf8')) ?? ''
      const cgroup = attempt(() => readFileSync(join(directory, 'cgroup'), 'utf8')) ?? ''
      const marker = process.env[runMarker]
      const ours =
        /berth-shim|berth daemon/.test(text) ||
        /\/berth\b/.test(cgroup) ||
        (marker !== undefined && environment.includes(`${runMarker}=${marker}`))
      const netns = ours ? attempt(() => readlink(join(directory, 'ns/net'))) : undefined
      return [{ pid: Number(name), text: text.slice(0, 120), ours, netns }]
    })
}

function readlink(path: string): string {
  return run('readlink', [path]).trim()
}

/** A process may end while it is looked at. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
