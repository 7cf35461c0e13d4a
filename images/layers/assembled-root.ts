import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { messageOf, unavailable } from '#base/errors.ts'
import type { SnapshotMounts } from '../snapshots/snapshotter.ts'

/** What a container's root is made of when it does not run. */
export interface RootDescription {
  readonly mounts: SnapshotMounts
  /** SELinux context of the layers; '': none. */
  readonly label: string
  /** Parents before children. */
  readonly binds: readonly {
    readonly source: string
    /** A path beneath it, which no symlink leads out of; undefined: the source itself. */
    readonly below: string | undefined
    /** Absolute, in the container. */
    readonly target: string
    readonly readOnly: boolean
  }[]
}

/** A directory, open. Closing it ends what keeps it together. */
export interface OpenRoot extends AsyncDisposable {
  readonly fd: number
}

/**
 * Mounts a container's root with all that is bound into it, in a child's mount namespace, where nobody else sees it.
 * Nothing else may mount the layers meanwhile.   @throws `unavailable` in the child's words
 */
export async function assembleRoot(executable: string, description: RootDescription): Promise<OpenRoot> {
  const child = spawn(executable, ['--assemble'], { stdio: ['pipe', 'pipe', 'pipe'], env: {}, cwd: '/' })
  await using undo = new AsyncDisposableStack()
  undo.defer(() => end(child))
  const said = child.stderr ? text(child.stderr) : Promise.resolve('')
  // A child that has ended is told of by what it said.
  child.stdin?.on('error', () => undefined)
  child.stdin?.write(toRecords(description))
  if (!(await isReady(child))) {
    throw unavailable(`the container's files cannot be put together: ${(await said).trim() || 'no message'}`)
  }
  // The child is ours and waits for its input to end: the number is its own.
  const root = await open(`/proc/${child.pid}/root`, 'r')
  undo.defer(() => root.close())
  const opened = undo.move()
  return { fd: root.fd, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function toRecords({ mounts, label, binds }: RootDescription): string {
  const layers = mounts.kind === 'overlay' ? mounts.lower : []
  const above = mounts.kind === 'overlay' ? { upper: mounts.upper, work: mounts.work } : {}
  const fields: (readonly [string, string | undefined])[] = [
    ['root', mounts.path],
    ...layers.map((path) => ['lower', path] as const),
    ...Object.entries(above),
    ['label', label],
    ...binds.flatMap(({ source, below, target, readOnly }): (readonly [string, string | undefined])[] => [
      ['source', source],
      ['below', below],
      ['target', target],
      ['access', readOnly ? 'ro' : 'rw'],
    ]),
    ['go', ''],
  ]
  return fields.map(([word, value]) => (value === undefined ? '' : `${word}=${value}\0`)).join('')
}

/** False when it ended before it said so. */
function isReady(child: ChildProcess): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  child.stdout?.once('data', () => resolve(true))
  child.once('exit', () => resolve(false))
  child.once('error', (error) => reject(unavailable(`cannot run berth-unpack: ${messageOf(error)}`, { cause: error })))
  return promise
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
