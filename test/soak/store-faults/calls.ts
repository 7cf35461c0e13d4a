import { constants } from 'node:os'
import { errnoOf, whyNotFailed } from '../../native/faults/calls.ts'
import type { Call, Fault } from '../../native/faults/injector.ts'

const { EIO, EMFILE, ENOSPC, EAGAIN } = constants.errno

/** What a call may fail with, as far as the state of the machine decides and not its arguments. */
export const errnosOf = (call: Call): readonly number[] =>
  call.process === '0' ? errnosOfFiles(call) : errnosInside(call)

/** The same of a call in berth-unpack. */
export function errnosInside(call: Call): readonly number[] {
  // What fails brk fails mmap, too.
  if (whyNotFailed(call) !== undefined || isOneOfMany(call) || call.name === 'brk') return []
  if (/^(pipe|socket)/.test(call.what)) return [EIO]
  const errnos = errnosOfFiles(call)
  return errnos.includes(EMFILE) || errnos.includes(ENOSPC) ? errnos : [errnoOf(call)]
}

/** The first capability of the bounding set stands for all. */
const isOneOfMany = ({ name, what }: Call): boolean => name === 'prctl' && /^2[34], [1-9]/.test(what)

function errnosOfFiles({ name }: Call): readonly number[] {
  if (['open', 'openat', 'openat2'].includes(name)) return [EMFILE, EIO]
  if (['pipe2', 'socketpair', 'socket'].includes(name)) return [EMFILE]
  if (['clone', 'clone3', 'fork', 'vfork'].includes(name)) return [EAGAIN]
  if (/^(p?write(v|64)?|mkdir(at)?|rename(at2?)?|fallocate|ftruncate|link(at)?|fsync|fdatasync)$/.test(name)) {
    return [ENOSPC, EIO]
  }
  if (neverFails.has(name)) return []
  return [EIO]
}

/** Which run of berth-unpack unpacks a layer that is still arriving: a failed one is done again, later. */
const unpacksEarly: Readonly<Record<string, RegExp>> = { pull: /^plain\.1\./, load: /^plain\.2\./ }

/** Of calls in berth-unpack. */
const toleratedInside: readonly Pick<Excuse, 'name' | 'what' | 'reason'>[] = [
  { name: /^fcntl$/, what: /, 1031$/, reason: 'a pipe of another size does too' },
  { name: /^fcntl$/, what: /, 2$/, reason: 'the C library sets close-on-exec again that open has set already' },
  { name: /^mmap$/, what: /^-?[1-9]\d*, 4096, /, reason: 'the allocator’s guard page' },
  { name: /^(munmap|madvise)$/, reason: 'memory of a process that ends soon is given back then' },
]

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

export function whyTolerated(verb: string, fault: Fault): string | undefined {
  const { name, what } = fault
  if (fault.process === '0') return whyToleratedOutside(verb, fault)
  if (unpacksEarly[verb]?.test(fault.process)) return 'as below: the lowest layer while it arrives'
  return toleratedInside.find((excuse) => excuse.name.test(name) && (excuse.what?.test(what) ?? true))?.reason
}

const whyToleratedOutside = (verb: string, { name, what, errno }: Fault): string | undefined =>
  tolerated.find(
    (excuse) =>
      (excuse.verbs?.includes(verb) ?? true) &&
      excuse.name.test(name) &&
      (excuse.what?.test(what) ?? true) &&
      (excuse.errno === undefined || excuse.errno === errno),
  )?.reason
