import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { internal, isKind } from '#base/errors.ts'
import type { Container } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import { addExec, execStart } from '../exec.ts'
import { settledTaskOf } from '../pause.ts'
import type { ExecRequest } from '../requests.ts'
import { isInTime } from './in-time.ts'
import { type ProbeAnswer, ProbeOutput, timeoutText } from './output.ts'

const sigkill = 9
/** How long the output of a killed probe is waited for. */
const killedMs = 10_000

export interface CommandProbe {
  readonly words: readonly string[]
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Runs the test's command in the container, with its user, environment and working directory. The time counts from the process's start.
 * @throws what keeps the process from starting; `cancelled` by the signal. The process is killed then.
 */
export async function runCommandProbe(
  context: ContainerContext,
  container: Container,
  { words, timeoutMs, signal }: CommandProbe,
): Promise<ProbeAnswer> {
  const id = newProbeId(container.id)
  addExec(context, container, { id, request: toRequest(words) })
  const started = await execStart(context, id, { detach: false, tty: false, consoleSize: undefined, isProbe: true })
  if (!started) throw internal(`the health check of container ${container.id} has no output`)
  const output = new ProbeOutput(started.stream)
  const over = ended(started.stream)
  const inTime = await isInTime(context.clock, over, { ms: timeoutMs, signal }).catch(async (error: unknown) => {
    await killProbe(context, container, id)
    started.stream.destroy()
    throw error
  })
  if (!inTime) {
    await killProbe(context, container, id)
    if (!(await isInTime(context.clock, over, { ms: killedMs, signal }))) started.stream.destroy()
    if (context.execs.find(id)?.state === 'ended') context.execs.drop(id)
    return { exitCode: -1, output: timeoutText(timeoutMs, output.text) }
  }
  const { exitCode } = context.execs.get(id)
  context.execs.drop(id)
  if (exitCode === null) throw internal(`healthcheck for container ${container.id} has no exit code`)
  return { exitCode, output: output.text }
}

/** What earlier daemons were probing when they were killed: a probe that hangs would stay in the container for ever. */
export function isProbeId(containerId: string, execId: string): boolean {
  return execId.endsWith(markOf(containerId))
}

/** Probes are told from the execs of users by the end of their id, which a next daemon can tell as well. */
function newProbeId(containerId: string): string {
  return `${randomBytes(24).toString('hex')}${markOf(containerId)}`
}

function markOf(containerId: string): string {
  return createHash('sha256').update(`health check of ${containerId}`).digest('hex').slice(0, 16)
}

function toRequest(cmd: readonly string[]): ExecRequest {
  return {
    cmd,
    env: [],
    user: '',
    workingDir: '',
    tty: false,
    privileged: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
    consoleSize: undefined,
  }
}

async function ended(stream: Duplex): Promise<void> {
  await finished(stream, { writable: false }).catch(() => undefined)
}

async function killProbe(context: ContainerContext, { id }: Container, execId: string): Promise<void> {
  try {
    await (await settledTaskOf(context, id)).shim.kill(execId, sigkill)
  } catch (error) {
    // Gone by itself, together with its container, or out of reach like the container itself.
    if (!['not-found', 'conflict', 'unavailable', 'timeout'].some((kind) => isKind(error, kind as 'timeout')))
      throw error
  }
}
