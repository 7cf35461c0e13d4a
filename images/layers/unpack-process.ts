import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { onAbort } from '#base/abort.ts'
import { type BerthError, cancelled, internal, invalid, messageOf, noSpace, unavailable } from '#base/errors.ts'
import type { GrowingBlob } from '../content/content-store.ts'
import type { SnapshotMounts } from '../snapshots/snapshotter.ts'
import type { RootFds } from './copy-process.ts'
import { parseUnpackResult, type UnpackResult } from './unpack-result.ts'

/** Bytes of a layer: a file, an open descriptor (stays the caller's; read from its current position; with `growth` while it is written), or
 *  a stream. */
export type LayerSource =
  | { readonly path: string }
  | { readonly fd: number; readonly growth?: Pick<GrowingBlob, 'onGrowth' | 'written'> }
  | { readonly stream: Readable }

export interface UnpackLimits {
  /** Uncompressed bytes of the whole layer. */
  readonly bytes: number
  readonly entries: number
  /** Uncompressed bytes per compressed byte; counts once a layer has grown above 1 GiB. */
  readonly ratio: number
}

/** Far above the layers people have, far below what would hurt a host: one bomb cannot take the disk. */
export const defaultLimits: UnpackLimits = { bytes: 128 * 2 ** 30, entries: 5_000_000, ratio: 200 }

export interface UnpackRun {
  readonly source: LayerSource
  readonly mounts: SnapshotMounts
  readonly limits: UnpackLimits
  /** A file to be made: takes the record of the tree, as `--record` would write it. */
  readonly recordFile?: string | undefined
}

/** How long an aborted child gets to take its own children down. */
const killAfterMs = 5000

/** What berth-unpack may say; the rest is cut off. */
const maxOutputBytes = 8192

/**
 * Runs berth-unpack once and resolves with what it counted. The directory is the caller's to remove when this throws.
 * @throws `invalid` (names the entry), `no-space`, `cancelled`, `unavailable` when the child cannot run here; the stream's own error.
 */
export async function runUnpack(executable: string, run: UnpackRun, signal?: AbortSignal): Promise<UnpackResult> {
  await using opened = new AsyncDisposableStack()
  const target = opened.use(await open(targetOf(run.mounts), 'r'))
  using lowers = openAll(run.mounts.lower)
  const record = run.recordFile === undefined ? undefined : opened.use(await open(run.recordFile, 'wx', 0o600))
  const inherited = [target.fd, ...lowers.fds, ...(record ? [record.fd] : [])]
  return await runChild(executable, { source: run.source, args: argumentsOf(run), inherited }, signal)
}

/** At once: for an image of hundreds of layers a turn of the event loop for each would cost more than everything else. */
export function openAll(paths: readonly string[]): Disposable & { readonly fds: readonly number[] } {
  const fds: number[] = []
  const close = () => {
    for (const fd of fds) closeSync(fd)
  }
  try {
    for (const path of paths) fds.push(openSync(path, 'r'))
  } catch (error) {
    close()
    throw error
  }
  return { fds, [Symbol.dispose]: close }
}

export interface InflateRun {
  readonly source: LayerSource
  /** An empty directory, which stays so. */
  readonly directory: string
  /** A file open for writing, which takes the plain bytes. */
  readonly output: number
  readonly limits: UnpackLimits
}

/** Decompresses in the confined child, whatever the bytes are of.   @throws as `runUnpack` does */
export async function runInflate(executable: string, run: InflateRun, signal?: AbortSignal): Promise<UnpackResult> {
  await using directory = await open(run.directory, 'r')
  const args = ['--inflate', ...limitArguments(run.limits)]
  return await runChild(executable, { source: run.source, args, inherited: [directory.fd, run.output] }, signal)
}

export interface CopyInRun {
  readonly archive: Readable
  readonly fds: RootFds
  /** A directory in it: absolute, without symlinks. */
  readonly path: string
  /** Neither replaces a directory by something else, nor the other way round. */
  readonly keepKinds: boolean
  /** Who is to own what is made; undefined: whoever the archive says. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

/** Makes the files of an archive in a container.   @throws as `runUnpack` does */
export async function runCopyIn(executable: string, run: CopyInRun, signal?: AbortSignal): Promise<void> {
  const { path, keepKinds, owner, archive } = run
  const { root, users } = run.fds
  const args = [
    ...['--copy-in', path.slice(1)],
    ...(keepKinds ? ['--keep-kinds'] : []),
    ...(owner ? ['--owner', `${owner.uid}:${owner.gid}`] : []),
    ...(users === undefined ? [] : ['--users']),
    ...limitArguments(defaultLimits),
  ]
  const inherited = users === undefined ? [root] : [root, users]
  await runChild(executable, { source: { stream: archive }, args, inherited }, signal)
}

/** @param inherited descriptors from 3 on; the pipe that tells of growth comes after them */
async function runChild(
  executable: string,
  { source, args, inherited }: { source: LayerSource; args: readonly string[]; inherited: readonly number[] },
  signal: AbortSignal | undefined,
): Promise<UnpackResult> {
  if (signal?.aborted) throw wasCancelled(signal)
  await using opened = new AsyncDisposableStack()
  const file = 'path' in source ? opened.use(await open(source.path, 'r')) : undefined
  const growth = 'fd' in source ? source.growth : undefined
  const child = spawn(executable, [...args], {
    stdio: [inputOf(source, file), 'pipe', 'pipe', ...inherited, ...(growth ? ['pipe' as const] : [])],
    env: {},
    cwd: '/',
  })
  // Of a child that could not be started, the error comes next, and there may be no pipes.
  const ended = endOf(child, executable)
  const givenUp = new AbortController()
  const isStarted = child.pid !== undefined
  using _growth = growth && isStarted ? tellGrowth(growth, child.stdio[3 + inherited.length], givenUp) : undefined
  using _ = killOnAbort(child, signal ? AbortSignal.any([signal, givenUp.signal]) : givenUp.signal)
  const [code, output, message, sourceError] = await Promise.all([
    ended,
    textOf(child.stdout),
    textOf(child.stderr),
    'stream' in source ? feed(source.stream, child) : undefined,
  ])
  if (signal?.aborted) throw wasCancelled(signal)
  if (givenUp.signal.aborted) throw unavailable('the layer that was being unpacked is not written to its end')
  if (sourceError !== undefined) throw sourceError
  if (code !== 0) throw failureOf(code, message.trim())
  return parseUnpackResult(output)
}

function targetOf(mounts: SnapshotMounts): string {
  const target = mounts.kind === 'overlay' ? mounts.upper : mounts.path
  if (mounts.readOnly || target === undefined) throw internal('a layer can only be unpacked into an active snapshot')
  return target
}

/** A byte for each growth, the pipe's end at the end of the blob. */
function tellGrowth(
  { onGrowth, written }: Pick<GrowingBlob, 'onGrowth' | 'written'>,
  pipe: Readable | Writable | null | undefined,
  givenUp: AbortController,
): Disposable {
  if (!(pipe instanceof Writable)) throw internal('berth-unpack has no pipe for growth')
  // A child that has ended is told of by its exit.
  pipe.on('error', () => undefined)
  written.then(
    () => pipe.end(),
    () => givenUp.abort(),
  )
  const listening = onGrowth(() => pipe.writable && pipe.write('+'))
  return {
    [Symbol.dispose]() {
      listening[Symbol.dispose]()
      pipe.destroy()
    },
  }
}

function argumentsOf({ source, mounts, limits, recordFile }: UnpackRun): string[] {
  return [
    mounts.kind === 'overlay' ? '--overlay' : '--plain',
    // What the layers below look like matters where this one leaves out parent directories.
    ...['--lowers', `${mounts.lower.length}`],
    ...(recordFile === undefined ? [] : ['--recorded']),
    ...('fd' in source && source.growth ? ['--growing'] : []),
    ...limitArguments(limits),
  ]
}

function limitArguments({ bytes, entries, ratio }: UnpackLimits): string[] {
  return ['--limit-bytes', `${bytes}`, '--limit-entries', `${entries}`, '--limit-ratio', `${ratio}`]
}

function inputOf(source: LayerSource, file: FileHandle | undefined): number | 'pipe' {
  if (file) return file.fd
  return 'fd' in source ? source.fd : 'pipe'
}

/** The exit code, or 128 + n style text for a signal; rejects when the child could not be started. */
async function endOf(child: ChildProcess, executable: string): Promise<number | NodeJS.Signals> {
  const { promise, resolve, reject } = Promise.withResolvers<number | NodeJS.Signals>()
  child.once('error', (cause) => {
    reject(unavailable(`cannot run ${executable}: ${messageOf(cause)}`, { cause }))
  })
  child.once('exit', (code, killedBy) => {
    // A source that stalls would otherwise keep us waiting for a write that tells of the closed pipe.
    child.stdin?.destroy()
    resolve(code ?? killedBy ?? 'SIGKILL')
  })
  return promise
}

async function textOf(stream: Readable | null): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream ?? []) {
    if (length < maxOutputBytes) chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks).subarray(0, maxOutputBytes).toString('utf8')
}

/** Copies the stream to the child. Resolves with the error of the stream itself, if it had one; that the child stopped reading is told by
 *  its exit code. */
async function feed(stream: Readable, child: ChildProcess): Promise<unknown> {
  if (!child.stdin) {
    stream.destroy()
    return internal('berth-unpack has no standard input')
  }
  // Whichever ends early takes the other one down with it: the first to go is the cause.
  let first: 'stream' | 'child' | undefined
  const streamEnds = () => {
    first ??= 'stream'
  }
  const childEnds = () => {
    first ??= 'child'
  }
  stream.once('error', streamEnds).once('close', () => {
    if (!stream.readableEnded) streamEnds()
  })
  child.stdin.once('error', childEnds)
  child.once('exit', childEnds)
  try {
    await pipeline(stream, child.stdin)
    return undefined
  } catch (error) {
    return first === 'child' ? undefined : error
  }
}

function killOnAbort(child: ChildProcess, signal: AbortSignal | undefined): Disposable {
  let timer: NodeJS.Timeout | undefined
  const kill = () => {
    // SIGTERM lets it take down and reap its own children; SIGKILL is for one that is stuck.
    child.kill('SIGTERM')
    timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  }
  const given = onAbort(signal, kill)
  return {
    [Symbol.dispose]: () => {
      given[Symbol.dispose]()
      clearTimeout(timer)
    },
  }
}

/** Exit codes of berth-unpack, in the order of images/unpack/report.h. */
function failureOf(code: number | NodeJS.Signals, message: string): BerthError {
  if (code === 1) return invalid(message || 'the layer cannot be unpacked', { code: 'layer-invalid' })
  if (code === 3) return noSpace(message || 'no space left for the layer')
  if (code === 2) return unavailable(`berth-unpack cannot begin its work here: ${message || 'no message'}`)
  return internal(`berth-unpack ended with ${code}: ${message || 'no message'}`)
}

function wasCancelled(signal: AbortSignal): BerthError {
  return cancelled('unpacking the layer was cancelled', { cause: signal.reason })
}
