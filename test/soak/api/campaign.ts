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
  /** How many requests are under way at once; 1 by default, and then a seed tells all. */
  readonly clients?: number
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

/** Sends rounds of requests, and looks at the daemon afterwards. */
export async function runCampaign(
  daemon: TestDaemon,
  { seed, rounds, lastsMs = Infinity, clients = 1 }: CampaignOptions,
): Promise<Outcome> {
  const world = await World.open(daemon)
  await world.clear()
  const before = holdings(daemon)
  const campaign = new Campaign(daemon, world)
  const memory: number[] = []
  const end = performance.now() + lastsMs
  for (let round = 0; round < rounds && performance.now() < end && daemon.isRunning; round += 1) {
    await campaign.play(roundOf(seed + round), clients)
    memory.push(residentBytes(daemon))
  }
  const { faults, requests, statuses } = campaign
  const found = [...faults.values(), ...(await look(daemon, world, before)), ...growthOf(memory)]
  return { faults: found, requests, statuses }
}

function roundOf(seed: number): FuzzRequest[] {
  return fc.sample(anyRequest, { seed, numRuns: requestsPerRound })
}

class Campaign {
  readonly faults = new Map<string, string>()
  readonly statuses: Record<string, number> = {}
  requests = 0
  readonly #daemon: TestDaemon
  readonly #world: World

  constructor(daemon: TestDaemon, world: World) {
    this.#daemon = daemon
    this.#world = world
  }

  /** @param clients send at the same time, each its part, one after the other */
  async play(round: readonly FuzzRequest[], clients: number): Promise<void> {
    try {
      await this.#world.restock()
    } catch (error) {
      this.faults.set(String(error), String(error))
      return
    }
    const parts = Array.from({ length: clients }, (_, client) => round.filter((_, at) => at % clients === client))
    await Promise.all(
      parts.map(async (part) => {
        for (const request of part) await this.#ask(request)
      }),
    )
  }

  async #ask(request: FuzzRequest): Promise<void> {
    const { ms, mayBeLate } = patienceFor(request)
    const fill = (text: string) => this.#world.fill(text)
    const answer = await exchange(this.#daemon.socket, request, { fill, patienceMs: ms })
    this.requests += 1
    const status = String(answer.status ?? (answer.isLate ? 'late' : 'closed'))
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
    const fault = faultOf(request, answer, mayBeLate)
    if (fault === undefined) return
    const shown = `${fault.slice(0, 1000)}\n  ${JSON.stringify(request).slice(0, 2000)}`
    this.faults.set(signature(request, fault), shown)
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
