import { type ChildProcess, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { cancelled, internal, messageOf, noSpace, unavailable } from '#base/errors.ts'

/** The jobs of berth-unpack that need no layer: see images/unpack/README.md. */
export type TreeJob = '--remove' | '--usage' | '--sync' | '--spread'

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
  return await runTreeJobOn(executable, [job], target.fd, signal)
}

/** The same for a descriptor, which stays the caller's, and a job with arguments. */
export async function runTreeJobOn(
  executable: string,
  args: readonly string[],
  target: number,
  signal?: AbortSignal,
): Promise<string> {
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe', target], env: {}, cwd: '/', signal })
  const [code, output, message] = await Promise.all([
    endOf(child, executable, signal),
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ])
  if (code === 0) return output
  const words = message.trim() || `berth-unpack ${args[0]} ended with ${code}`
  if (code === 2) throw unavailable(words)
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
