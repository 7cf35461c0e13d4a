import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { cancelled, dataLoss, internal, messageOf, noSpace, unavailable } from '#base/errors.ts'

/** The jobs of berth-unpack that need no layer: see images/unpack/README.md. */
export type TreeJob = '--remove' | '--usage' | '--sync' | '--spread' | '--record' | '--verify' | '--digest'

/** What a job works with; the descriptors stay the caller's. */
export interface TreeJobFiles {
  /** The directory, or for `--digest` the file. */
  readonly target: number
  /** For `--verify` the record. */
  readonly second?: number
  /** Takes the output; else it is returned. */
  readonly output?: number
}

/**
 * Does a job on a whole directory in a confined child, off our threads, and resolves with what it printed.
 * @throws `unavailable` when the child cannot run here, `no-space`, `cancelled`, `internal`
 */
export async function runTreeJob(
  executable: string,
  job: TreeJob,
  directory: string,
  signal?: AbortSignal,
): Promise<string> {
  await using target = await open(directory, 'r')
  return await runTreeJobOn(executable, [job], { target: target.fd }, signal)
}

/** As `runTreeJob`, on what is open, and a job with arguments.   @throws also `data-loss` for a damaged record */
export async function runTreeJobOn(
  executable: string,
  args: readonly string[],
  { target, second, output }: TreeJobFiles,
  signal?: AbortSignal,
): Promise<string> {
  const stdio: StdioOptions = ['ignore', output ?? 'pipe', 'pipe', target, ...(second === undefined ? [] : [second])]
  const child = spawn(executable, args, { stdio, env: {}, cwd: '/', signal })
  const [code, printed, message] = await Promise.all([
    endOf(child, executable, signal),
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ])
  if (code === 0) return printed
  const words = message.trim() || `berth-unpack ${args[0]} ended with ${code}`
  if (code === 1 && args[0] === '--verify') throw dataLoss(words)
  if (code === 2) throw unavailable(`berth-unpack cannot begin its work here: ${words}`)
  if (code === 3) throw noSpace(words)
  throw internal(words)
}

function endOf(child: ChildProcess, executable: string, signal?: AbortSignal): Promise<number | string> {
  const { promise, resolve, reject } = Promise.withResolvers<number | string>()
  child.once('error', (cause) => {
    if (signal?.aborted) reject(cancelled('the work on a tree was cancelled', { cause }))
    else reject(unavailable(`cannot run ${executable}: ${messageOf(cause)}`, { cause }))
  })
  child.once('exit', (code, killedBy) => resolve(code ?? killedBy ?? 'a signal'))
  return promise
}
