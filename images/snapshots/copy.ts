import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { cancelled, internal, messageOf, noSpace, unavailable } from '#base/errors.ts'
import type { TreeFormat } from './tree-format.ts'

/** For hosts without overlayfs: every snapshot holds all its files. Blocks are shared where the filesystem can (reflink). */
export const copyFormat: TreeFormat = {
  driver: 'vfs',

  async createActive(own, [parent], signal) {
    await mkdir(own.files, { mode: 0o755 })
    if (parent) await copyTree(parent.files, own.files, signal)
  },

  async createView() {},

  describe: ({ files }) => ({ Dir: files }),

  mounts(own, [parent], readOnly) {
    const path = readOnly && parent ? parent.files : own.files
    return { kind: 'directory', path, lower: [], upper: undefined, work: undefined, readOnly }
  },
}

/** cp(1) knows hard links, sparse files, attributes and reflinks, and follows no symlink with --archive. Nobody else writes to a committed tree. */
async function copyTree(from: string, to: string, signal?: AbortSignal): Promise<void> {
  const child = spawn('cp', ['--archive', '--reflink=auto', '--sparse=auto', '--', `${from}/.`, to], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    signal,
  })
  const [code, message] = await Promise.all([endOf(child, signal), child.stderr ? text(child.stderr) : ''])
  if (code === 0) return
  const words = message.trim().slice(0, 1000) || `cp ended with ${code}`
  if (/No space left on device|Disk quota exceeded/.test(words)) throw noSpace(`cannot copy a snapshot: ${words}`)
  throw internal(`cannot copy a snapshot: ${words}`)
}

function endOf(child: ChildProcess, signal?: AbortSignal): Promise<number | string> {
  const { promise, resolve, reject } = Promise.withResolvers<number | string>()
  child.once('error', (cause) => {
    if (signal?.aborted) reject(cancelled('copying a snapshot was cancelled', { cause }))
    else reject(unavailable(`copying snapshots needs the program cp: ${messageOf(cause)}`, { cause }))
  })
  child.once('exit', (code, killedBy) => resolve(code ?? killedBy ?? 'a signal'))
  return promise
}
