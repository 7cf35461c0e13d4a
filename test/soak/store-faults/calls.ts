import { constants } from 'node:os'
import type { Call, Fault } from '../../native/faults/injector.ts'

const { EIO, EMFILE, ENOSPC, EAGAIN } = constants.errno

/** What a call on a file may fail with, as far as the state of the machine decides and not its arguments. */
export function errnosOf({ name }: Call): readonly number[] {
  if (['open', 'openat', 'openat2'].includes(name)) return [EMFILE, EIO]
  if (['pipe2', 'socketpair', 'socket'].includes(name)) return [EMFILE]
  if (['clone', 'clone3', 'fork', 'vfork'].includes(name)) return [EAGAIN]
  if (/^(p?write(v|64)?|mkdir(at)?|rename(at2?)?|fallocate|ftruncate|link(at)?|fsync|fdatasync)$/.test(name)) {
    return [ENOSPC, EIO]
  }
  if (neverFails.has(name)) return []
  return [EIO]
}

const neverFails = new Set(['close', 'fcntl', 'lseek', 'mmap', 'munmap', 'restart_syscall', 'flock'])

interface Excuse {
  /** Undefined: any. */
  readonly verbs?: readonly string[]
  readonly name: RegExp
  readonly errno?: number
  readonly what?: RegExp
  readonly reason: string
}

/** In these, layers are unpacked while they arrive. */
const arriving = ['pull', 'load']

/** Calls that may fail although the verb succeeds, what it says being true nevertheless. */
const tolerated: readonly Excuse[] = [
  {
    verbs: arriving,
    name: /./,
    what: /snapshots\/\d+/,
    reason: 'a layer that cannot be unpacked while it arrives is unpacked once it is whole',
  },
  {
    verbs: arriving,
    name: /^pwrite64$/,
    errno: EIO,
    what: /state\.db-wal/,
    reason: 'as above: the row of its snapshot',
  },
  { verbs: arriving, name: /^(socketpair|pipe2|clone)$/, reason: 'as above: its child' },
  { name: /^statx$/, what: /content\/ingest\//, reason: 'a look before a deletion, which is done all the same' },
  { verbs: ['commit'], name: /^pipe2$/, reason: 'what cannot be counted beforehand is packed nevertheless' },
  { name: /^(statx|access)$/, what: /snapshots\/\d+\/digests$/, reason: 'a record that is not seen is made again' },
  { verbs: arriving, name: /^socket$/, reason: 'a registry is asked again' },
  { name: /^pwrite64$/, errno: ENOSPC, what: /state\.db-wal/, reason: 'the reserve makes room' },
]

export const whyTolerated = (verb: string, { name, what, errno }: Fault): string | undefined =>
  tolerated.find(
    (excuse) =>
      (excuse.verbs?.includes(verb) ?? true) &&
      excuse.name.test(name) &&
      (excuse.what?.test(what) ?? true) &&
      (excuse.errno === undefined || excuse.errno === errno),
  )?.reason
