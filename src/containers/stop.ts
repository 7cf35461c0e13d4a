import { BerthError, conflict, isKind, notModified, timeout } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import type { Container } from './container.ts'
import { commit, publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { isAlive, transition } from './lifecycle.ts'
import { parseSignal } from './signals.ts'

const defaultTimeoutSeconds = 10
const sigterm = 15
const sigkill = 9
/** After SIGKILL only the kernel stands between us and the exit; a process stuck in it must not hang the caller. */
export const killDeadlineMs = 30_000

export interface StopOptions {
  /** Negative: for ever; undefined: the container's own, else 10. */
  readonly timeoutSeconds?: number
  readonly signal?: string
}

/** Asks the container to end, and makes it end when it does not.   @throws `not-modified` when it does not run */
export async function stop(context: ContainerContext, name: string, options: StopOptions): Promise<void> {
  const { id } = context.store.get(name)
  checkSignal(`cannot stop container: ${name}`, options)
  await stopChecked(context, id, options)
}

/** As `stop`, of options that are known to be good. */
export async function stopChecked(context: ContainerContext, id: string, options: StopOptions): Promise<void> {
  await end(context, id, options)
  const container = context.store.find(id)
  if (container) publish(context, container, 'stop')
}

async function end(context: ContainerContext, id: string, options: StopOptions): Promise<void> {
  const marked = await markStopped(context, id)
  if (!marked) return
  const { container, exited } = marked
  const signal = parseSignal(options.signal || container.config.stopSignal || String(sigterm))
  const seconds = options.timeoutSeconds ?? container.config.stopTimeoutSeconds ?? defaultTimeoutSeconds
  await sendSignal(context, container, signal)
  if (signal !== sigkill) await resumeToEnd(context, id)
  if (seconds < 0) await exited
  else if (!(await settlesWithin(exited, seconds * 1000))) await killAndWait(context, container, exited)
}

/** SIGKILL, and the wait for the recorded exit.   @throws `timeout` when the kernel does not let the process go */
export async function killAndWait(
  context: ContainerContext,
  container: Container,
  exited: Promise<unknown>,
): Promise<void> {
  await sendSignal(context, container, sigkill)
  await mustEnd(container.id, exited)
}

async function mustEnd(id: string, exited: Promise<unknown>): Promise<void> {
  if (await settlesWithin(exited, killDeadlineMs)) return
  throw timeout(`container ${shortId(id)} did not end within ${killDeadlineMs / 1000} seconds of SIGKILL`)
}

interface Marked {
  readonly container: Container
  /** Listened to before anybody else can take the lock, and record it. */
  readonly exited: Promise<unknown>
}

/** Keeps the restart policy away. @returns undefined when that was all there was to do: it waited for its next attempt. */
async function markStopped(context: ContainerContext, id: string): Promise<Marked | undefined> {
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  const state = { ...container.state, stoppedByUser: true }
  if (state.status === 'restarting') {
    giveUpRestart(context, container)
    return undefined
  }
  if (!isAlive(container)) throw notModified(`container ${shortId(id)} is already stopped`)
  commit(context, { ...container, state })
  return { container: { ...container, state }, exited: context.exits.next(id, 'exit') }
}

/** It is down, and will stay so. */
function giveUpRestart(context: ContainerContext, container: Container): void {
  context.restarts.cancel(container.id)
  const status = transition(container, 'exit')
  commit(context, { ...container, state: { ...container.state, status, stoppedByUser: true } })
}

/** A paused container cannot act on the signal that is to end it. */
async function resumeToEnd(context: ContainerContext, id: string): Promise<void> {
  using _held = await context.locks.acquire(id)
  await resumeToEndLocked(context, id)
}

async function resumeToEndLocked(context: ContainerContext, id: string): Promise<void> {
  const container = context.store.find(id)
  const task = context.tasks.find(id)
  if (container?.state.status !== 'paused' || !task) return
  await task.shim.resume()
  const resumed = { ...container, state: { ...container.state, status: transition(container, 'unpause') } }
  commit(context, resumed, ['unpause'])
  context.health.begin(resumed, context.clock.nowNanos())
}

/** Signals init and tells the event. One that has just ended, or whose shim has, is no error: its exit is on the way.
 *  @throws `timeout` when the shim is frozen */
async function sendSignal(context: ContainerContext, container: Container, signal: number): Promise<void> {
  const task = context.tasks.find(container.id)
  if (!task) return
  // Before the signal: the death that it causes comes after it for everybody who listens.
  publish(context, container, 'kill', { signal: String(signal) })
  try {
    await task.shim.kill('', signal)
  } catch (error) {
    if (isKind(error, 'timeout')) throw frozen(container, task.shim.pid, error)
    if (!isKind(error, 'not-found') && !isKind(error, 'unavailable')) throw error
  }
}

function frozen({ id }: Container, pid: number, cause: unknown): Error {
  return timeout(
    `container ${shortId(id)} cannot be signalled: its shim (process ${pid}) does not answer; kill -CONT ${pid} lets it go on, kill -KILL ${pid} ends it together with the container`,
    { cause },
  )
}

export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, ms, false)
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

/** @throws `invalid` in Docker's words, with those of the command in front */
export function checkSignal(words: string, { signal }: StopOptions): void {
  if (signal) attempting(words, () => parseSignal(signal))
}

function attempting<T>(words: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof BerthError)) throw cause
    throw new BerthError(cause.kind, `${words}: ${cause.message}`, { cause })
  }
}

/** SIGKILL is waited for, other signals are only sent.   @throws `conflict` in Docker's words when it does not run */
export async function kill(context: ContainerContext, name: string, signalText: string | undefined): Promise<void> {
  const { signal, id } = attempting(`cannot kill container: ${name}`, () => ({
    signal: parseSignal(signalText || 'KILL'),
    ...context.store.get(name),
  }))
  const killed = await sendFromUser(context, { id, name, signal })
  if (killed) await mustEnd(id, killed.exited)
}

interface UserSignal {
  readonly id: string
  /** As the user knows it. */
  readonly name: string
  readonly signal: number
}

/** @returns what to wait for; undefined: nothing */
async function sendFromUser(
  context: ContainerContext,
  { id, name, signal }: UserSignal,
): Promise<Pick<Marked, 'exited'> | undefined> {
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  if (container.state.status === 'restarting') {
    giveUpRestart(context, container)
    return undefined
  }
  if (!isAlive(container)) throw conflict(`cannot kill container: ${name}: container ${id} is not running`)
  // Only a signal that ends things by itself speaks for the user's wish to have it down.
  const endsIt = signal === sigkill || signal === parseSignal(container.config.stopSignal || String(sigterm))
  if (endsIt) commit(context, { ...container, state: { ...container.state, stoppedByUser: true } })
  const exited = signal === sigkill ? context.exits.next(id, 'exit') : undefined
  await sendSignal(context, container, signal)
  if (endsIt && signal !== sigkill) await resumeToEndLocked(context, id)
  return exited && { exited }
}
