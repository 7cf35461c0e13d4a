import { type ChildProcess, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { PassThrough, pipeline, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { onAbort } from '#base/abort.ts'
import { type BerthError, cancelled, internal, invalid, messageOf, noSpace, unavailable } from '#base/errors.ts'

/** Directories that together are a tree, the topmost first. */
export interface PackedTrees {
  /** Of overlayfs: what each adds to those behind it; else each is a whole tree, and only the first two matter. */
  readonly areOverlay: boolean
  readonly directories: readonly string[]
}

export interface PackRun {
  readonly job: '--pack' | '--export' | '--changes'
  readonly trees: PackedTrees
  readonly options?: readonly string[]
  /** Where the archive goes: a descriptor of the caller's. Undefined: it is `archive` of the running job, or there is none. */
  readonly fd?: number
}

export interface RunningPack {
  /** What the child writes; only without a descriptor of the caller's. */
  readonly archive: Readable | undefined
  /** What it wrote to standard output, when it has ended well.   @throws `invalid` (names the file), `no-space`, `cancelled`, `unavailable` */
  readonly answer: Promise<string>
  /** Ends the child, if it has not, and resolves when it is gone. */
  stop(): Promise<void>
}

/** What the changes of a container may take in memory. */
const maxAnswerBytes = 64 << 20

/** Starts berth-unpack on these directories, which may be in use. */
export async function startPack(executable: string, run: PackRun, signal?: AbortSignal): Promise<RunningPack> {
  if (signal?.aborted) throw wasCancelled(signal)
  await using opened = new AsyncDisposableStack()
  const fds: number[] = []
  for (const path of run.trees.directories) fds.push(opened.use(await open(path, 'r')).fd)
  const output = run.job === '--changes' ? [] : [run.fd ?? ('pipe' as const)]
  const child = spawn(executable, argumentsOf(run), {
    stdio: ['ignore', 'pipe', 'pipe', ...fds, ...output],
    env: {},
    cwd: '/',
  })
  // Node throws away what a child has written and nobody is reading yet when it ends.
  const written = child.stdio?.[3 + fds.length]
  // What goes wrong with it is told by its reader and by the child.
  const archive = written instanceof Readable ? pipeline(written, new PassThrough(), () => undefined) : undefined
  archive?.on('error', () => undefined)
  const ended = endOf(child)
  const kill = () => child.kill('SIGKILL')
  // Nobody may ever come to read the archive: its pipe would stay. The signal may have been aborted while directories were opened.
  const given = onAbort(signal, () => {
    kill()
    archive?.destroy(signal && wasCancelled(signal))
  })
  const answer = Promise.all([ended, answerOf(child), child.stderr ? text(child.stderr) : ''])
    .then(([end, said, message]) => {
      if (signal?.aborted) throw wasCancelled(signal)
      if (end !== 0) throw failureOf(end, message.trim(), executable)
      return said
    })
    .finally(() => given[Symbol.dispose]())
  // Who reads the archive may not have come to it yet.
  answer.catch(() => undefined)
  return {
    archive,
    answer,
    async stop() {
      kill()
      await ended
    },
  }
}

function argumentsOf({ job, trees, options = [] }: PackRun): string[] {
  const whole = trees.areOverlay ? [] : ['--whole-trees']
  return [job, ...whole, ...options, '--lowers', `${trees.directories.length - 1}`]
}

/** The exit code, the signal, or why the child could not be started. */
function endOf(child: ChildProcess): Promise<number | NodeJS.Signals | Error> {
  const { promise, resolve } = Promise.withResolvers<number | NodeJS.Signals | Error>()
  child.once('error', resolve)
  child.once('exit', (code, killedBy) => resolve(code ?? killedBy ?? 'SIGKILL'))
  return promise
}

async function answerOf(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of child.stdout ?? []) {
    size += chunk.length
    if (size > maxAnswerBytes) child.kill('SIGKILL')
    else chunks.push(chunk)
  }
  if (size > maxAnswerBytes) throw invalid(`the container has more changes than fit into ${maxAnswerBytes} bytes`)
  return Buffer.concat(chunks).toString('utf8')
}

/** Exit codes of berth-unpack, in the order of images/unpack/report.h. */
function failureOf(end: number | NodeJS.Signals | Error, message: string, executable: string): BerthError {
  if (end instanceof Error) return unavailable(`cannot run ${executable}: ${messageOf(end)}`, { cause: end })
  if (end === 1) return invalid(message || 'the files cannot be packed', { code: 'layer-invalid' })
  if (end === 3) return noSpace(message || 'no space left for the layer')
  if (end === 2) return unavailable(`berth-unpack cannot begin its work here: ${message || 'no message'}`)
  return internal(`berth-unpack ended with ${end}: ${message || 'no message'}`)
}

function wasCancelled(signal: AbortSignal): BerthError {
  return cancelled('packing the files was cancelled', { cause: signal.reason })
}
