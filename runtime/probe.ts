import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { internal, messageOf, unavailable } from '#base/errors.ts'

/** A port in a network namespace. */
export interface PortQuestion {
  /** An open descriptor of the namespace; stays the caller's. */
  readonly netns: number
  /** An address of the namespace; empty: loopback and then its other addresses; `localhost`: loopback only. */
  readonly host: string
  readonly port: number
  /** Sent as it is, for an answer over HTTP; undefined: connecting is enough. */
  readonly request: string | undefined
  readonly timeoutMs: number
}

export interface PortAnswer {
  readonly isHealthy: boolean
  /** What it found, in bytes that may be the server's own: at most some kilobytes. */
  readonly output: Buffer
}

const unhealthyStatus = 1
const outputLimit = 8192
/** Who asks ends the child when the time is over; the child's own limit is for the case that nobody does. */
const graceMs = 2000

/**
 * Asks a port by a child that enters the namespace, gives up everything else, and never outlives this process.
 * @param executable berth-probe
 * @throws `unavailable` when it cannot run or was ended by the signal, `internal` when it cannot ask
 */
export async function askPort(executable: string, question: PortQuestion, signal: AbortSignal): Promise<PortAnswer> {
  const { netns, host, port, request, timeoutMs } = question
  const limit = String(Math.ceil(timeoutMs) + graceMs)
  const child = spawn(executable, ['3', host, String(port), limit, ...(request === undefined ? [] : [request])], {
    env: {},
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore', netns],
    signal,
    killSignal: 'SIGKILL',
  })
  const chunks: Buffer[] = []
  let bytes = 0
  child.stdout?.on('data', (chunk: Buffer) => {
    if (bytes < outputLimit) chunks.push(chunk.subarray(0, outputLimit - bytes))
    bytes += chunk.length
  })
  const [code, killedBy] = await endOf(child, executable)
  const output = Buffer.concat(chunks)
  if (code === 0 || code === unhealthyStatus) return { isHealthy: code === 0, output }
  throw internal(
    `port ${port} could not be asked: ${output.toString() || `berth-probe ended with ${killedBy ?? code}`}`,
  )
}

async function endOf(child: ChildProcess, executable: string): Promise<[code: number | null, killedBy: string | null]> {
  try {
    return (await once(child, 'close')) as [number | null, string | null]
  } catch (cause) {
    throw unavailable(`${executable} did not run to its end: ${messageOf(cause)}`, { cause })
  }
}
