import { type ChildProcess, spawn } from 'node:child_process'
import { PassThrough, pipeline, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { onAbort } from '#base/abort.ts'
import {
  type BerthError,
  cancelled,
  internal,
  invalid,
  messageOf,
  noSpace,
  notFound,
  unavailable,
} from '#base/errors.ts'

/** What lies at a path of a container. */
export interface FoundPlace {
  /** As stat(2) has it, type and permissions; a symlink's own, unless a slash follows it. */
  readonly mode: number
  readonly size: number
  /** Nanoseconds since 1970. */
  readonly modifiedAt: bigint
  /** Of what it leads to; 0: nothing is there. */
  readonly resolvedMode: number
  /** Absolute, without symlinks. */
  readonly resolved: string
}

export interface CopiedOut {
  readonly place: FoundPlace
  /** A tar. */
  readonly archive: AsyncGenerator<Uint8Array>
  /** Ends the work, if it has not ended, and resolves when nothing of the container is open any more. */
  stop(): Promise<void>
}

/** No path is longer. */
const maxAnswerBytes = 8192

/** A container's root, open; it may run. */
export interface RootFds {
  readonly root: number
  /** The user namespace in whose numbers files have owners; undefined: the host's. */
  readonly users: number | undefined
}

/** Looks at a path below an open root.   @throws `not-found`, `internal` in the system's words */
export async function lookIn(
  executable: string,
  fds: RootFds,
  path: string,
  signal?: AbortSignal,
): Promise<FoundPlace> {
  const child = start(executable, { args: ['--look', path], fds, output: false }, signal)
  const [place] = await Promise.all([answerOf(child.process), child.done])
  return parsePlace(place)
}

/**
 * The tar of a path below an open root; what cannot be begun fails here.
 * @param name of the entry, and in front of what is below it
 */
export async function copyOutOf(
  executable: string,
  { fds, path, name }: { readonly fds: RootFds; readonly path: string; readonly name: string },
  signal?: AbortSignal,
): Promise<CopiedOut> {
  const args = ['--copy-out', path, '--name', name, '--limit-bytes', `${Number.MAX_SAFE_INTEGER}`]
  const child = start(executable, { args, fds, output: true }, signal)
  const answer = await answerOf(child.process)
  if (answer === '') await child.done
  return { place: parsePlace(answer), archive: follow(child), stop: () => stop(child) }
}

interface Started {
  readonly process: ChildProcess
  readonly archive: Readable | undefined
  readonly done: Promise<void>
}

function start(
  executable: string,
  { args, fds, output }: { readonly args: readonly string[]; readonly fds: RootFds; readonly output: boolean },
  signal: AbortSignal | undefined,
): Started {
  const { root, users } = fds
  const child = spawn(executable, [...args, ...(users === undefined ? [] : ['--users'])], {
    stdio: [
      'ignore',
      'pipe',
      'pipe',
      root,
      ...(output ? ['pipe' as const] : []),
      ...(users === undefined ? [] : [users]),
    ],
    env: {},
    cwd: '/',
  })
  const written = output ? child.stdio?.[4] : undefined
  // What goes wrong with it is told by its reader and by the child.
  const archive = written instanceof Readable ? pipeline(written, new PassThrough(), () => undefined) : undefined
  archive?.on('error', () => undefined)
  // Nobody may ever come to read the archive: its pipe would stay.
  const given = onAbort(signal, () => {
    child.kill('SIGKILL')
    archive?.destroy(cancelled('copying was cancelled', { cause: signal?.reason }))
  })
  const done = Promise.all([endOf(child), child.stderr ? text(child.stderr) : ''])
    .then(([end, said]) => {
      if (signal?.aborted) throw cancelled('copying was cancelled', { cause: signal.reason })
      if (end !== 0) throw failureOf(end, said.trim())
    })
    .finally(() => given[Symbol.dispose]())
  // Who reads the archive may not have come to it yet.
  done.catch(() => undefined)
  return { process: child, archive, done }
}

async function* follow(child: Started): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of child.archive ?? []) yield chunk as Buffer
    await child.done
  } finally {
    await stop(child)
  }
}

async function stop({ process, archive, done }: Started): Promise<void> {
  process.kill('SIGKILL')
  archive?.destroy()
  await done.catch(() => undefined)
}

/** Up to the zero byte; empty when the child had nothing to tell. */
async function answerOf({ stdout }: ChildProcess): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of stdout ?? []) {
    parts.push(part as Buffer)
    size += (part as Buffer).length
    if (size > maxAnswerBytes || (part as Buffer).includes(0)) break
  }
  return Buffer.concat(parts).toString('utf8').split('\0', 1)[0] ?? ''
}

/** "MODE SIZE SECONDS NANOSECONDS RESOLVED-MODE\nRESOLVED" */
function parsePlace(answer: string): FoundPlace {
  const [, mode, size, seconds = '', nanos = '', resolvedMode, resolved = ''] =
    /^(\d+) (\d+) (-?\d+) (\d+) (\d+)\n(.*)$/s.exec(answer) ?? []
  if (mode === undefined) throw internal(`berth-unpack answered a bad place: ${answer.slice(0, 200)}`)
  return {
    mode: Number(mode),
    size: Number(size),
    modifiedAt: BigInt(seconds) * 1_000_000_000n + BigInt(nanos),
    resolvedMode: Number(resolvedMode),
    resolved,
  }
}

function endOf(child: ChildProcess): Promise<number | NodeJS.Signals | Error> {
  const { promise, resolve } = Promise.withResolvers<number | NodeJS.Signals | Error>()
  child.once('error', resolve)
  child.once('exit', (code, killedBy) => resolve(code ?? killedBy ?? 'SIGKILL'))
  return promise
}

/** Exit codes of berth-unpack, in the order of images/unpack/report.h. */
function failureOf(end: number | NodeJS.Signals | Error, message: string): BerthError {
  if (end instanceof Error) return unavailable(`cannot run berth-unpack: ${messageOf(end)}`, { cause: end })
  if (end === 1) return invalid(message || 'the files cannot be packed')
  if (end === 2) return unavailable(`berth-unpack cannot begin its work here: ${message || 'no message'}`)
  if (end === 3) return noSpace(message || 'no space left')
  if (end === 5) return notFound(message)
  return internal(message || `berth-unpack ended with ${end} and said nothing`)
}
