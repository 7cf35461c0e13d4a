import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isKind, timeout, unavailable } from '#base/errors.ts'
import { ShimChildren } from './children.ts'
import {
  type ExitRecord,
  lockName,
  readBootId,
  readExitRecord,
  readShimRecord,
  readStartTime,
  type ShimRecord,
  socketName,
} from './files.ts'
import type { ShimKernel } from './kernel.ts'
import { Shim, type ShimOptions } from './shim.ts'

export interface ShimLauncherOptions {
  readonly kernel: ShimKernel
  /** berth-shim as a sealed descriptor; stays the caller's and open as long as the launcher. */
  readonly executable: number
  /** Where a shim writes what nobody asked for; -1: /dev/null. */
  readonly logDescriptor?: number
  /** Shims kept ready, with their network namespaces. 0: none. */
  readonly warm?: number
  /** How long one request to a shim may take. */
  readonly timeoutMs?: number
  /** What went wrong where nobody waits. */
  readonly report: (error: unknown) => void
}

/** Refilling waits until a burst of starts is likely over: they need the processor more. */
const refillDelayMs = 25
const adoptTimeoutMs = 5_000
const adoptRetryMs = 20
const endTimeoutMs = 5_000

/** Spawns shims and finds again those of an earlier daemon. Disposing ends the unused ones; containers live on. */
export class ShimLauncher implements AsyncDisposable {
  readonly #options: ShimLauncherOptions
  readonly #children: ShimChildren
  readonly #warm: Shim[] = []
  #bootId: Promise<string> | undefined
  #refill: NodeJS.Timeout | undefined
  #filling: Promise<void> | undefined
  #closed = false

  constructor(options: ShimLauncherOptions) {
    this.#options = options
    this.#children = new ShimChildren(options.kernel)
    this.#fillLater()
  }

  /** A shim in state empty: a warm one, or a fresh one that needs some milliseconds more. */
  async launch(): Promise<Shim> {
    if (this.#closed) throw unavailable('no shim is launched any more: the daemon is stopping')
    this.#fillLater()
    for (let shim = this.#warm.shift(); shim; shim = this.#warm.shift()) if (shim.alive) return shim
    return this.#spawn()
  }

  /**
   * Connects to the shim that keeps the container of this directory; undefined when none is alive there.
   * @throws `timeout` when it lives but does not answer
   */
  async adopt(directory: string): Promise<Shim | undefined> {
    const record = await readShimRecord(directory)
    this.#bootId ??= readBootId()
    if (!record || record.bootId !== (await this.#bootId)) return undefined
    const deadline = Date.now() + adoptTimeoutMs
    // A shim whose container has just ended removes its socket and goes; only its lock says which of the two comes next.
    while (this.#options.kernel.lockHolder(join(directory, lockName)) === record.pid) {
      const shim = await this.#connect(directory, record)
      if (shim) return shim
      if (Date.now() > deadline) throw timeout(`the shim of ${record.id} (process ${record.pid}) does not answer`)
      await sleep(adoptRetryMs)
    }
    return undefined
  }

  /** How the container ended; undefined when its shim was killed before it could write that. */
  async readExitRecord(directory: string): Promise<ExitRecord | undefined> {
    return readExitRecord(directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#refill)
    await this.#filling
    await Promise.all(this.#warm.splice(0).map((shim) => this.#end(shim)))
    this.#children[Symbol.dispose]()
  }

  #spawn(): Shim {
    const { kernel, executable, logDescriptor = -1 } = this.#options
    const [ours, theirs] = kernel.socketPair()
    let pid: number
    try {
      pid = kernel.spawnShim(executable, theirs, logDescriptor)
    } catch (error) {
      kernel.close(ours)
      throw error
    } finally {
      kernel.close(theirs)
    }
    const shim = this.#shim(ours, pid, {
      kill: async (signal) => {
        const startTime = await readStartTime(pid)
        if (startTime !== undefined) this.#signal(pid, startTime, signal)
      },
      fetch: async (descriptor) => {
        const startTime = await readStartTime(pid)
        if (startTime === undefined) throw unavailable('the shim has ended')
        return this.#options.kernel.fetchDescriptor(pid, startTime, descriptor)
      },
      gone: () => this.#children.gone(pid),
    })
    this.#children.add(pid, shim.closed)
    return shim
  }

  async #connect(directory: string, record: ShimRecord): Promise<Shim | undefined> {
    let shim: Shim | undefined
    try {
      const descriptor = this.#options.kernel.connect(join(directory, socketName))
      shim = this.#shim(descriptor, record.pid, {
        kill: async (signal) => this.#signal(record.pid, record.startTime, signal),
        fetch: async (remote) => this.#options.kernel.fetchDescriptor(record.pid, record.startTime, remote),
        gone: async () => {}, // another's child: the end of its connection is all that we can see
      })
      // A frozen shim takes the connection and says nothing: whoever waits, the daemon's own end above all, is not kept for long.
      const timer = setTimeout(() => void shim?.[Symbol.asyncDispose](), adoptTimeoutMs)
      await shim.hello().finally(() => clearTimeout(timer))
      return shim
    } catch (error) {
      await shim?.[Symbol.asyncDispose]()
      if (isKind(error, 'not-found') || isKind(error, 'unavailable')) return undefined
      throw error
    }
  }

  #shim(descriptor: number, pid: number, life: Pick<ShimOptions, 'kill' | 'fetch' | 'gone'>): Shim {
    const { kernel, report, timeoutMs } = this.#options
    return new Shim({ kernel, descriptor, pid, report, ...life, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  }

  #signal(pid: number, startTime: bigint, signal: number): void {
    try {
      this.#options.kernel.signal(pid, startTime, signal)
    } catch (error) {
      if (!isKind(error, 'not-found')) throw error
    }
  }

  #fillLater(): void {
    if (this.#closed || (this.#options.warm ?? 2) === 0) return
    clearTimeout(this.#refill)
    this.#refill = setTimeout(() => {
      this.#filling = (this.#filling ?? Promise.resolve()).then(() => this.#fill()).catch(this.#options.report)
    }, refillDelayMs)
    this.#refill.unref()
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#warm.length < (this.#options.warm ?? 2)) {
      const shim = this.#spawn()
      try {
        await shim.prepare(true)
      } catch (error) {
        await this.#end(shim)
        throw error
      }
      this.#warm.push(shim)
    }
  }

  /** An empty shim ends itself when its connection does; one that cannot any more is killed. */
  async #end(shim: Shim): Promise<void> {
    await shim[Symbol.asyncDispose]()
    const timer = setTimeout(() => void shim.destroy().catch(this.#options.report), endTimeoutMs)
    await this.#children.gone(shim.pid)
    clearTimeout(timer)
  }
}
