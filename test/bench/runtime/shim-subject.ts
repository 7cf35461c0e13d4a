import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openLibrary } from '#runtime/library.ts'
import { openSeccomp } from '#runtime/seccomp.ts'
import type { Shim } from '#shim/shim.ts'
import { type Keeper, openKeeper } from '../../native/shim/keeper.ts'
import { nextExit } from '../../native/shim/story.ts'
import type { BundleOptions } from '../../support/docker-bundle.ts'
import type { ProcessorAccount } from './processor-account.ts'
import { type ConfigName, configs, probeArguments, type Subject } from './subjects.ts'

const library = new URL('../../../build/native/libberth.so', import.meta.url).pathname

/** Containers through berth-shim, as the daemon makes them; from the spawn of the shim to its end. */
export class ShimSubject implements Subject, AsyncDisposable {
  readonly name = 'berth-shim'
  readonly #keeper: Keeper
  readonly #account: ProcessorAccount
  readonly #directory: string
  readonly #states: string
  readonly #rootfs: string
  readonly #filters: Record<ConfigName, Uint8Array | undefined>
  #next = 0

  private constructor(
    keeper: Keeper,
    account: ProcessorAccount,
    directory: string,
    states: string,
    rootfs: string,
    filter: Uint8Array,
  ) {
    this.#keeper = keeper
    this.#account = account
    this.#directory = directory
    this.#states = states
    this.#rootfs = rootfs
    this.#filters = { docker: filter, minimal: undefined }
  }

  /** @param states where shims keep what they know, in memory as on every host; their logs are in `directory` */
  static async open(
    account: ProcessorAccount,
    directory: string,
    states: string,
    rootfs: string,
  ): Promise<ShimSubject> {
    const seccomp = openSeccomp(await openLibrary({ libraryPath: library }))
    const filter = await seccomp.compile(configs.docker({ rootfs, args: [], cgroup: '' }).linux.seccomp)
    return new ShimSubject(await openKeeper(), account, directory, states, rootfs, filter)
  }

  async run(config: ConfigName): Promise<number> {
    const { shim, spent, before } = await this.#launch()
    await this.start(shim, config, ['true'])
    await nextExit(shim)
    await shim.shutdown()
    return Number(this.#account.read() - before + spent) / 1e6
  }

  async probe(): Promise<string> {
    const { shim } = await this.#launch()
    const log = await this.start(shim, 'docker', probeArguments, 'json-file')
    await nextExit(shim)
    await shim.shutdown()
    const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
    return lines.map((line) => (JSON.parse(line) as { log: string }).log).join('')
  }

  /** A shim whose time counts. */
  async launch(): Promise<Shim> {
    return (await this.#launch()).shim
  }

  /** @returns the log's path */
  async start(
    shim: Shim,
    config: ConfigName,
    args: readonly string[],
    driver: 'none' | 'json-file' = 'none',
  ): Promise<string> {
    this.#next += 1
    const id = `bench-${process.pid}-${this.#next}`
    const directory = join(this.#states, 'shims', id)
    const log = join(this.#directory, `${id}.log`)
    mkdirSync(directory, { recursive: true })
    const options: BundleOptions = { rootfs: this.#rootfs, args, cgroup: this.#account.containerGroup }
    const keeper = {
      ...{
        id,
        directory,
        stdin: { open: false, once: false },
        network: { kind: config === 'docker' ? 'none' : 'host' },
      },
      log: driver === 'none' ? { driver } : { driver, path: log, maxBytes: 0, maxFiles: 1 },
      rootfs: { kind: 'directory', path: this.#rootfs },
    }
    const document = configs[config](options)
    await this.#keeper.create(shim, '', document, keeper, this.#filters[config])
    await shim.start('')
    void shim.closed.then(() => rmSync(directory, { recursive: true, force: true }))
    return log
  }

  /** Milliseconds of processor time of an exec of `true`. */
  async exec(shim: Shim): Promise<number> {
    this.#next += 1
    const id = `exec-${this.#next}`
    const before = this.#account.read()
    const { process } = configs.docker({ rootfs: this.#rootfs, args: ['true'], cgroup: '' })
    await this.#keeper.create(shim, id, process, undefined, this.#filters.docker)
    await shim.closeStdin(id)
    await shim.start(id)
    await nextExit(shim, id)
    return Number(this.#account.read() - before) / 1e6
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keeper[Symbol.asyncDispose]()
  }

  /** What it spent before it was in the group counts too. */
  async #launch(): Promise<{ shim: Shim; spent: bigint; before: bigint }> {
    const shim = await this.#keeper.launcher.launch()
    await shim.hello()
    const before = this.#account.read()
    const [nanoseconds = '0'] = readFileSync(`/proc/${shim.pid}/schedstat`, 'utf8').split(' ')
    this.#account.enter(shim.pid)
    return { shim, spent: BigInt(nanoseconds), before }
  }
}
