import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'
import { brokenRequest } from './broken.ts'
import { type FuzzRequest, operationRequest } from './request.ts'
import { faultOf, patienceFor } from './verdict.ts'
import { exchange } from './wire.ts'
import { World } from './world.ts'

export interface CampaignOptions {
  readonly seed: number
  /** Rounds of `requestsPerRound`; after each the world is put right. */
  readonly rounds: number
  /** Rounds begun later than this are left out. */
  readonly lastsMs?: number
}

export const requestsPerRound = 25

const anyRequest = fc.oneof({ arbitrary: operationRequest, weight: 12 }, { arbitrary: brokenRequest, weight: 1 })

export interface Outcome {
  /** What is wrong, one text each; empty: nothing. */
  readonly faults: readonly string[]
  readonly requests: number
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Sends requests until a round of them all has been answered, and looks at the daemon afterwards. */
export async function runCampaign(
  daemon: TestDaemon,
  { seed, rounds, lastsMs = Infinity }: CampaignOptions,
): Promise<Outcome> {
  const faults = new Map<string, string>()
  const statuses: Record<string, number> = {}
  const memory: number[] = []
  let requests = 0
  const world = await World.open(daemon)
  await world.clear()
  const before = holdings(daemon)
  const end = performance.now() + lastsMs

  const play = async (round: readonly FuzzRequest[]): Promise<void> => {
    await world.restock()
    for (const request of round) {
      const { ms, mayBeLate } = patienceFor(request)
      const answer = await exchange(daemon.socket, request, { fill: (text) => world.fill(text), patienceMs: ms })
      requests += 1
      const status = String(answer.status ?? (answer.isLate ? 'late' : 'closed'))
      statuses[status] = (statuses[status] ?? 0) + 1
      const fault = faultOf(request, answer, mayBeLate)
      if (fault !== undefined && !faults.has(signature(request, fault))) throw new Fault(request, fault)
    }
  }
  const property = fc.asyncProperty(
    fc.array(anyRequest, { minLength: requestsPerRound, maxLength: requestsPerRound }),
    play,
  )
  for (let round = 0; round < rounds && performance.now() < end; round += 1) {
    const { errorInstance } = await fc.check(property, { seed: seed + round, numRuns: 1, endOnFailure: true })
    if (errorInstance instanceof Fault)
      faults.set(signature(errorInstance.request, errorInstance.fault), errorInstance.message)
    else if (errorInstance !== null && errorInstance !== undefined)
      faults.set(String(errorInstance), String(errorInstance))
    if (!daemon.isRunning) break
    memory.push(residentBytes(daemon))
  }
  const found = [...faults.values(), ...(await look(daemon, world, before)), ...growthOf(memory)]
  return { faults: found, requests, statuses }
}

class Fault extends Error {
  readonly request: FuzzRequest
  readonly fault: string

  constructor(request: FuzzRequest, fault: string) {
    super(`${fault.slice(0, 1000)}\n  ${JSON.stringify(request).slice(0, 2000)}`)
    this.request = request
    this.fault = fault
  }
}

/** Alike for faults that are most likely the same. */
function signature({ about }: FuzzRequest, fault: string): string {
  return `${about} ${fault.replaceAll(/[0-9a-f]{12,}|\d+|"[^"]*"/g, '*').slice(0, 200)}`
}

/** What a daemon without containers holds: open files, children and mounts, by kind, with numbers left out. */
function holdings({ pid, directory }: TestDaemon): string[] {
  const ofProcess = (path: string) => join('/proc', String(pid), path)
  const links = readdirSync(ofProcess('fd')).flatMap(
    (fd) => attempt(() => readlinkSync(ofProcess(join('fd', fd)))) ?? [],
  )
  const children = readFileSync(ofProcess(`task/${pid}/children`), 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
  const words = children.flatMap((child) => attempt(() => readFileSync(`/proc/${child}/cmdline`, 'utf8')) ?? [])
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory))
  return [
    // libuv opens one at the first watch and keeps it.
    ...links.filter((link) => link !== 'anon_inode:inotify').map((link) => `file ${link.replaceAll(/\d+/g, '*')}`),
    ...words.map((word) => `child ${word.replaceAll('\0', ' ')}`),
    ...mounts.map((line) => `mount ${line.split(' ')[4]}`),
  ]
}

function residentBytes({ pid }: TestDaemon): number {
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? ''
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

/** Rounds before which a heap has not found its size. */
const settledRounds = 100
const noiseBytes = 48 << 20

/** The middle of the last rounds against that of earlier ones, once there are many. */
function growthOf(memory: readonly number[]): string[] {
  if (memory.length < settledRounds) return []
  const quarter = Math.floor(memory.length / 4)
  const middle = (from: number) => memory.slice(from, from + quarter).toSorted((a, b) => a - b)[quarter >> 1] ?? 0
  const [early, late] = [middle(quarter), middle(3 * quarter)]
  const shown = (bytes: number) => `${bytes >> 20} MiB`
  return late > early * 1.25 + noiseBytes ? [`memory: ${shown(early)} after a quarter, ${shown(late)} at the end`] : []
}

/** One that is gone meanwhile is not there. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** What is in `after` more often than in `before`. */
function more(before: readonly string[], after: readonly string[]): string[] {
  const left = [...before]
  return after.filter((one) => {
    const at = left.indexOf(one)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** What is wrong with a daemon that all was asked of. */
async function look(daemon: TestDaemon, world: World, before: readonly string[]): Promise<string[]> {
  if (!daemon.isRunning) return [`the daemon ended:\n${daemon.log.slice(-5000)}`]
  await world.clear()
  const unawaited = daemon.log.split('\n').filter((line) => line.includes('a failure that nobody awaited'))
  const kept = () => more(before, holdings(daemon))
  await waitFor('nothing is kept', () => kept().length === 0).catch(() => undefined)
  const { status } = await daemon.request('GET', '/_ping')
  return [...unawaited, ...kept(), ...(status === 200 ? [] : [`ping: ${status}`])]
}
