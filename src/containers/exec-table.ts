import { notFound } from '#base/errors.ts'
import type { ExecRequest, ExecView } from './requests.ts'

export interface Exec {
  readonly id: string
  readonly containerId: string
  readonly request: ExecRequest
  state: 'created' | 'starting' | 'running' | 'ended'
  exitCode: number | null
  pid: number
  endedAtMs: number
  /** Fulfilled when `exitCode` is known. */
  readonly ended: PromiseWithResolvers<void>
}

export function newExec(id: string, containerId: string, request: ExecRequest): Exec {
  const ended = Promise.withResolvers<void>()
  return { id, containerId, request, state: 'created', exitCode: null, pid: 0, endedAtMs: 0, ended }
}

/** How long the exit code of an ended exec can be asked for. */
const keptMs = 300_000

/** Processes added to containers; they live in memory only, as Docker's do. */
export class ExecTable {
  readonly #execs = new Map<string, Exec>()

  add(exec: Exec): void {
    for (const { id, state, endedAtMs } of this.#execs.values()) {
      if (state === 'ended' && endedAtMs + keptMs < Date.now()) this.#execs.delete(id)
    }
    this.#execs.set(exec.id, exec)
  }

  find(id: string): Exec | undefined {
    return this.#execs.get(id)
  }

  drop(id: string): void {
    this.#execs.delete(id)
  }

  /** By id or unambiguous prefix.   @throws `not-found` in Docker's words */
  get(name: string): Exec {
    const found = this.#execs.get(name) ?? this.#byPrefix(name)
    if (!found) throw notFound(`No such exec instance: ${name}`)
    return found
  }

  /** Those that have not ended. */
  aliveOf(containerId: string): Exec[] {
    return [...this.#execs.values()].filter((exec) => exec.containerId === containerId && exec.state !== 'ended')
  }

  /** The container's processes are all gone. */
  endAll(containerId: string): void {
    for (const exec of this.aliveOf(containerId)) end(exec, exec.exitCode ?? 137)
  }

  forget(containerId: string): void {
    for (const exec of this.#execs.values()) if (exec.containerId === containerId) this.#execs.delete(exec.id)
  }

  #byPrefix(name: string): Exec | undefined {
    if (name === '') return undefined
    const matches = [...this.#execs.values()].filter(({ id }) => id.startsWith(name))
    return matches.length === 1 ? matches[0] : undefined
  }
}

export function end(exec: Exec, exitCode: number): void {
  exec.state = 'ended'
  exec.exitCode = exitCode
  exec.endedAtMs = Date.now()
  exec.ended.resolve()
}

export function toExecView(exec: Exec): ExecView {
  const [entrypoint = '', ...args] = exec.request.cmd
  return {
    id: exec.id,
    containerId: exec.containerId,
    request: exec.request,
    running: exec.state === 'running',
    exitCode: exec.exitCode,
    pid: exec.pid,
    entrypoint,
    arguments: args,
  }
}
