import { Socket } from 'node:net'
import { constants } from 'node:os'
import type { BerthError } from '#base/errors.ts'
import { ShimClient } from './client.ts'
import type { ShimKernel } from './kernel.ts'
import {
  attachFlags,
  decodeHello,
  decodeState,
  type ExitEvent,
  type HostPort,
  type LinkRequest,
  protocolMax,
  protocolMin,
  type ShimEvent,
  type ShimState,
  type StateAnswer,
} from './protocol.ts'

export interface AttachOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Output in Docker's 8-byte frames; never with a terminal. */
  readonly framed: boolean
}

export interface ShimStatus {
  readonly state: ShimState
  /** Of init; 0 in state empty. */
  readonly pid: number
  /** Nanoseconds since 1970; undefined before start. */
  readonly startedAt: bigint | undefined
  readonly paused: boolean
  readonly execs: readonly { readonly id: string; readonly pid: number }[]
}

export interface ShimOptions {
  readonly kernel: ShimKernel
  /** A connected stream socket; the shim's from now on. */
  readonly descriptor: number
  readonly pid: number
  /** SIGKILL to the shim's process; success when it has ended. */
  readonly kill: (signal: number) => Promise<void>
  /** A copy of one of its descriptors. */
  readonly fetch: (descriptor: number) => Promise<number>
  /** Fulfilled when the process is gone, after the connection has ended. */
  readonly gone: () => Promise<void>
  /** What went wrong where nobody waits: an exit listener that failed. */
  readonly report: (error: unknown) => void
  readonly timeoutMs?: number
}

/**
 * One living shim. `task` is '' for the container's init and the exec's id otherwise. Disposing only lets go of the
 * connection: a container lives on, an empty shim ends itself.
 */
export class Shim implements AsyncDisposable {
  readonly pid: number
  readonly #kernel: ShimKernel
  readonly #client: ShimClient
  readonly #options: ShimOptions
  readonly #waiting: ExitEvent[] = []
  #exitListener: ((exit: ExitEvent) => Promise<void>) | undefined
  #oomListener: (() => void) | undefined
  #goneListener: (() => void) | undefined
  #gone = false
  #letGo = false

  constructor(options: ShimOptions) {
    this.pid = options.pid
    this.#options = options
    this.#kernel = options.kernel
    this.#client = new ShimClient({
      kernel: options.kernel,
      descriptor: options.descriptor,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      onEvent: (event) => this.#handle(event),
      onClose: (reason) => this.#close(reason),
    })
  }

  /** False once the connection has ended. */
  get alive(): boolean {
    return !this.#gone
  }

  /** Fulfilled when the connection has ended, from whichever side. */
  get closed(): Promise<void> {
    return this.#client.closed
  }

  /** Says which protocols we speak and learns the state; events of earlier times follow.   @throws `not-implemented` when no version fits */
  async hello(): Promise<ShimStatus> {
    return toStatus(decodeHello(await this.#client.request({ type: 'hello', protocolMin, protocolMax })))
  }

  /** Takes work off the later start: cgroup layout and, asked for, a network namespace. */
  async prepare(withNetns: boolean): Promise<void> {
    await this.#client.request({ type: 'prepare', withNetns })
  }

  /** Makes the process, which then waits to be started. The caller keeps and closes the plan's descriptor. */
  async create(task: string, planDescriptor: number): Promise<{ pid: number }> {
    const fields = await this.#client.request({ type: 'create', task }, [planDescriptor])
    return { pid: fields.i32() }
  }

  /** A failure undoes `create` wholly; its text tells why execve did not work. */
  async start(task: string): Promise<{ startedAt: bigint }> {
    const fields = await this.#client.request({ type: 'start', task })
    return { startedAt: fields.u64() }
  }

  /** @param all every process of the container   @throws `not-found` when the task has ended */
  async kill(task: string, signal: number, all = false): Promise<void> {
    await this.#client.request({ type: 'kill', task, signal, all })
  }

  async resize(task: string, rows: number, columns: number): Promise<void> {
    await this.#client.request({ type: 'resize', task, rows, columns })
  }

  /** After what attached clients have sent already. An exec that is to have no stdin gets its end of file so. */
  async closeStdin(task: string): Promise<void> {
    await this.#client.request({ type: 'closeStdin', task })
  }

  /**
   * A stream (allowHalfOpen) of the task's output; what is written is its stdin, `end()` its end of file. It ends when the
   * task has ended and all is through. The caller listens for `error`: writing to a task that has ended gives EPIPE.
   */
  async attach(task: string, options: AttachOptions): Promise<Socket> {
    const [ours, theirs] = this.#kernel.socketPair()
    try {
      await this.#client.request({ type: 'attach', task, flags: toFlags(options) }, [theirs])
    } catch (error) {
      this.#kernel.close(ours)
      throw error
    } finally {
      this.#kernel.close(theirs)
    }
    return new Socket({ fd: ours, allowHalfOpen: true, readable: true, writable: true })
  }

  async pause(): Promise<void> {
    await this.#client.request({ type: 'pause' })
  }

  async resume(): Promise<void> {
    await this.#client.request({ type: 'resume' })
  }

  async state(): Promise<ShimStatus> {
    return toStatus(decodeState(await this.#client.request({ type: 'state' })))
  }

  /** Adds a link to the container's network stack. */
  async addLink(link: LinkRequest): Promise<void> {
    await this.#client.request({ type: 'addLink', ...link })
  }

  /** Both ends.   @throws `not-found` when there is none of that name */
  async removeLink(hostLink: string): Promise<void> {
    await this.#client.request({ type: 'removeLink', hostLink })
  }

  /** Where the default route leads; empty: there is none any more. */
  async setGateway(gateway: string, link: string): Promise<void> {
    await this.#client.request({ type: 'setGateway', gateway, link })
  }

  /** Copies of sockets in the sandbox that get what is sent to 127.0.0.11:53; the caller closes them. The shim keeps its own. */
  async openDns(): Promise<{ udp: number; tcp: number }> {
    const fields = await this.#client.request({ type: 'openDns' })
    const [udp, tcp] = [fields.i32(), fields.i32()]
    const copy = await this.#options.fetch(udp)
    try {
      return { udp: copy, tcp: await this.#options.fetch(tcp) }
    } catch (error) {
      this.#kernel.close(copy)
      throw error
    }
  }

  /** Takes a port of the host for the container, or leads one that is taken to another address.   @throws `EADDRINUSE` (its code) */
  async publish(port: HostPort, target: { readonly address: string; readonly port: number }): Promise<void> {
    await this.#client.request({ type: 'publish', ...port, ...target })
  }

  /** Gives a port back.   @throws `not-found` when it is not taken */
  async withdraw(port: HostPort): Promise<void> {
    await this.#client.request({ type: 'withdraw', ...port })
  }

  async reopenLog(): Promise<void> {
    await this.#client.request({ type: 'reopenLog' })
  }

  /** Called for each exit, also for those of before a reconnect; acknowledged when the promise is fulfilled. */
  onExit(listener: (exit: ExitEvent) => Promise<void>): void {
    this.#exitListener = listener
    for (const exit of this.#waiting.splice(0)) this.#deliver(exit, listener)
  }

  /** Called when the kernel killed processes of the container for memory. */
  onOom(listener: () => void): void {
    this.#oomListener = listener
  }

  /** Called once when the connection ends without `shutdown` or disposal: the shim died. */
  onGone(listener: () => void): void {
    this.#goneListener = listener
    if (this.#gone && !this.#letGo) listener()
  }

  /** Ends an empty or stopped shim and waits until its process is gone.   @throws `conflict` while the container lives */
  async shutdown(): Promise<void> {
    if (this.#gone) return this.#options.gone()
    await this.#client.request({ type: 'shutdown' })
    this.#letGo = true
    await this.#client.closed
    await this.#options.gone()
  }

  /** SIGKILL to the shim itself; init dies with it, and `onGone` tells. */
  async terminate(): Promise<void> {
    await this.#options.kill(constants.signals.SIGKILL)
  }

  /** As `terminate`, but waits for the end instead of telling it. */
  async destroy(): Promise<void> {
    this.#letGo = true
    await this.terminate()
    await this.#client.closed
    await this.#options.gone()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#letGo = true
    await this.#client[Symbol.asyncDispose]()
  }

  #handle(event: ShimEvent): void {
    if (event.type === 'oom') {
      this.#client.acknowledge(event.serial)
      this.#oomListener?.()
      return
    }
    if (this.#exitListener) this.#deliver(event, this.#exitListener)
    else this.#waiting.push(event)
  }

  #deliver(exit: ExitEvent, listener: (exit: ExitEvent) => Promise<void>): void {
    listener(exit).then(() => this.#client.acknowledge(exit.serial), this.#options.report)
  }

  #close(_reason: BerthError): void {
    this.#gone = true
    if (!this.#letGo) this.#goneListener?.()
  }
}

function toStatus(answer: StateAnswer): ShimStatus {
  return {
    state: answer.state,
    pid: answer.initPid,
    startedAt: answer.startedAt === 0n ? undefined : answer.startedAt,
    paused: answer.paused,
    execs: answer.execs.map(({ task, pid }) => ({ id: task, pid })),
  }
}

function toFlags({ stdin, stdout, stderr, framed }: AttachOptions): number {
  return (
    (stdin ? attachFlags.stdin : 0) |
    (stdout ? attachFlags.stdout : 0) |
    (stderr ? attachFlags.stderr : 0) |
    (framed ? attachFlags.framed : 0)
  )
}
