/**
 * Containers are made while a process renames and exchanges what their mounts, masks, devices and working directories lead through
 * (CVE-2021-30465, CVE-2024-21626, CVE-2025-31133, CVE-2025-52565, CVE-2025-52881). `npm run soak -- rename-race [SECONDS [SEED]]` (600, seed 1)
 * prints a line a slice and exits 1 with what was not so.
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomFrom } from '#test/support/random.ts'
import { BusyboxRoot, type ContainerResult } from './container.ts'
import { problemsOf, randomContainer } from './rename-container.ts'
import { RenameTree, type StormKind, secretName } from './rename-tree.ts'

const kinds: readonly StormKind[] = ['tops', 'pair', 'names', 'names']

export interface Slice {
  readonly seed: number
  readonly created: number
  readonly refused: number
  /** Names that were moved meanwhile. */
  readonly moves: number
}

export class RenameRace implements AsyncDisposable {
  readonly #root: BusyboxRoot
  readonly #tree: RenameTree

  private constructor(root: BusyboxRoot) {
    this.#root = root
    this.#tree = new RenameTree(root)
  }

  static async open(): Promise<RenameRace> {
    const race = new RenameRace(await BusyboxRoot.make())
    await race.#tree.makeHost()
    return race
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root[Symbol.asyncDispose]()
  }

  /** @throws AssertionError when a container reached the host, left something, or failed without a sentence */
  async slice(seed: number, containers: number): Promise<Slice> {
    const random = randomFrom(seed)
    await this.#tree.make()
    const before = await this.#tree.look()
    const kind = kinds[seed % kinds.length] ?? 'names'
    await using storm = await this.#tree.storm(seed, kind)
    let created = 0
    for (let n = 0; n < containers; n++) created += (await this.#container(kind, random)) ? 1 : 0
    const moves = await storm.end()
    assert.deepEqual(await this.#tree.look(), before, `slice ${seed} changed the host`)
    assert.deepEqual(await this.#left(), [], `slice ${seed} left something`)
    assert(moves > containers, `slice ${seed}: ${moves} names were moved`)
    return { seed, created, refused: containers - created, moves }
  }

  /** @returns whether it was created */
  async #container(kind: StormKind, random: () => number): Promise<boolean> {
    const wanted = randomContainer(this.#tree, kind, random)
    const result = await this.#root.run(wanted.options)
    const problems = [...problemsOf(this.#tree, wanted, result.output), ...unspoken(result)]
    const listed = result.output.split(/\s+/).includes(secretName)
    if (listed) problems.push('the working directory is of the host')
    assert.deepEqual(problems, [], `${JSON.stringify(wanted.options, null, 1)}\n${result.output}`)
    return result.failures.length === 0
  }

  /** Processes and cgroups that should be gone. */
  async #left(): Promise<string[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const processes = await Promise.all(pids.map((pid) => this.#isOwn(pid)))
    return [...(await this.#root.cgroups()), ...processes.filter((text) => text !== '')]
  }

  /** @returns the process as words when it is of a container, or was to become one, else nothing */
  async #isOwn(pid: string): Promise<string> {
    const read = (name: string) => readFile(join('/proc', pid, name), 'utf8').catch(() => '')
    const [command, groups] = await Promise.all([read('cmdline'), read('cgroup')])
    const isOwn = command.includes(this.#root.path) || groups.includes(this.#root.cgroup)
    return isOwn ? `${pid} ${command.replaceAll('\0', ' ')}` : ''
  }
}

/** A container runs to its end, or its creation or start fails with a sentence; anything else is a crash or leaves something. */
function unspoken({ failures, exitCode }: ContainerResult): string[] {
  const wrong = failures.filter(({ step, text }) => !['create', 'start'].includes(step) || !/\w.* .*\w/.test(text))
  const problems = wrong.map(({ step, errno, text }) => `${step} failed with ${errno} '${text}'`)
  if (failures.length === 0 && exitCode !== 0) problems.push(`the container ended with ${exitCode} and no sentence`)
  return problems
}

/** Slices of as many containers, from seeds that follow each other, until `seconds` are over. */
async function soak(seconds: number, seed: number): Promise<void> {
  await using race = await RenameRace.open()
  const end = performance.now() + seconds * 1000
  for (let next = seed; performance.now() < end; next++) {
    const { created, refused, moves } = await race.slice(next, 40)
    console.log(`seed ${next}: ${created} created, ${refused} refused, ${moves} names moved`)
  }
}

if (import.meta.main) {
  const [seconds = 600, seed = 1] = process.argv.slice(2).map(Number)
  await soak(seconds, seed)
}
