import { internal } from '#base/errors.ts'
import { errnoError } from './errno.ts'

/** What this file needs of koffi; in the single binary the caller hands over a module that it loaded itself. */
export type Koffi = Pick<typeof import('koffi'), 'load'>

export interface LibraryOptions {
  /** libberth.so, as an absolute path. */
  readonly libraryPath: string
  readonly koffi?: Koffi
}

/** Whatever a native parameter takes: numbers, strings (UTF-8), lists of strings ended by null, memory that the call reads or fills. */
export type Argument =
  | number
  | bigint
  | string
  | null
  | readonly (string | null)[]
  | Uint8Array
  | Int32Array
  | BigUint64Array

/**
 * libberth.so, loaded once. A negative answer becomes a BerthError with the library's text (`code`: the errno's name).
 * Memory handed to `wait` belongs to the call until it settles.
 */
export interface Library {
  /** A short call, on this thread.   @returns what the function answered, zero or more. */
  call(name: FastCall, ...args: readonly Argument[]): number
  /** A call that may wait, on a thread of libuv's pool; two at most run at once, others queue. */
  wait(name: WaitCall, ...args: readonly Argument[]): Promise<number>
}

const abi = 1
const errorTextBytes = 508
const waitsAtOnce = 2

const fast = {
  berth_plan_compile: ['void *', 'size_t', 'void *', 'size_t', 'void *', 'size_t', 'void *'],
  berth_shim_spawn: ['int', 'int', 'int', 'const char **', 'void *'],
  berth_reap: ['int', 'void *'],
  berth_socketpair: ['void *'],
  berth_connect: ['str', 'void *'],
  berth_connect_datagram: ['str', 'void *'],
  berth_peer_pid: ['int', 'void *', 'void *'],
  berth_send: ['int', 'void *', 'size_t', 'void *', 'size_t'],
  berth_fetch_fd: ['int', 'uint64_t', 'int', 'void *'],
  berth_lock_test: ['str', 'void *'],
  berth_lock_take: ['str', 'void *'],
  berth_signal: ['int', 'uint64_t', 'int'],
  berth_overlay_opaque: ['int'],
  berth_cgroup_layout: ['void *', 'size_t', 'void *'],
  berth_cgroup_stats: ['str', 'void *', 'size_t', 'void *'],
  berth_cgroup_processes: ['str', 'void *', 'size_t', 'void *'],
  berth_link_is_up: ['uint32_t', 'str'],
  berth_links: ['void *', 'size_t', 'void *'],
  berth_routes: ['void *', 'size_t', 'void *'],
  berth_firewall_open: ['void *'],
  berth_firewall_table: ['str'],
  berth_firewall_dropping: ['void *', 'size_t', 'void *'],
} as const satisfies Record<string, readonly string[]>

const waiting = {
  berth_seccomp_compile: ['void *', 'size_t', 'void *', 'size_t', 'void *'],
  berth_executable_open: ['str', 'void *'],
  berth_memory_trim: [],
  berth_label_set: ['str', 'str'],
  berth_quota_enforced: ['str'],
  berth_quota_limit: ['str', 'uint32_t', 'uint64_t'],
  berth_quota_widen: ['str', 'uint64_t'],
  berth_quota_lift: ['str'],
  berth_mount_at: ['str', 'str', 'str', 'uint64_t', 'str'],
  berth_unmount: ['str'],
  berth_cgroup_kill: ['str'],
  berth_cgroup_remove: ['str'],
  berth_cgroup_update: ['str', 'void *', 'size_t'],
  berth_link_delete: ['str'],
  berth_bridge_ensure: ['str', 'const char **', 'size_t', 'uint32_t'],
  berth_firewall_write: ['int', 'str', 'void *', 'size_t', 'void *', 'size_t', 'int'],
  berth_firewall_change: ['int', 'str', 'void *', 'size_t', 'void *', 'size_t', 'int'],
  berth_firewall_remove: ['int', 'str'],
  berth_conntrack_forget: ['void *', 'size_t'],
} as const satisfies Record<string, readonly string[]>

export type FastCall = keyof typeof fast
export type WaitCall = keyof typeof waiting

type Native = ReturnType<ReturnType<Koffi['load']>['func']>

/** @throws `internal` when the file is another version's. */
export async function openLibrary({ libraryPath, koffi }: LibraryOptions): Promise<Library> {
  const loader = koffi ?? (await import('koffi')).default
  const handle = loader.load(libraryPath)
  const version: unknown = handle.func('berth_abi', 'uint32_t', [])()
  if (version !== abi) throw internal(`${libraryPath} has ABI version ${version}, not ${abi}`)

  const functions = new Map<string, Native>()
  const find = (name: FastCall | WaitCall): Native => {
    const known = functions.get(name)
    if (known) return known
    const parameters: readonly string[] = name in fast ? fast[name as FastCall] : waiting[name as WaitCall]
    const made = handle.func(name, 'int', [...parameters, 'void *'])
    functions.set(name, made)
    return made
  }
  // One error record serves all synchronous calls: it is read before the next one begins.
  const scratch = newError()
  const gate = new Gate(waitsAtOnce)

  return {
    call(name, ...args) {
      const answer: unknown = find(name)(...args, scratch)
      return checked(answer, scratch)
    },
    async wait(name, ...args) {
      using _ = await gate.enter()
      const failure = newError()
      // Referred to again below, so that the collector leaves the memory alone while the thread uses it.
      const held = [...args, failure]
      const answer = await new Promise<unknown>((resolve, reject) => {
        find(name).async(...held, (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)))
      })
      held.length = 0
      return checked(answer, failure)
    },
  }
}

/** What a call put into the memory that was handed over for its answer. */
export function valueAt(answers: Int32Array, index: number): number {
  const value = answers[index]
  if (value === undefined) throw internal(`a native answer has no value ${index}`)
  return value
}

/** struct berth_error: an int, then a NUL-terminated text. */
function newError(): Buffer {
  return Buffer.alloc(4 + errorTextBytes)
}

function checked(answer: unknown, failure: Buffer): number {
  if (typeof answer !== 'number') throw internal('a native call answered no number')
  if (answer >= 0) return answer
  const end = failure.indexOf(0, 4)
  throw errnoError(-answer, failure.toString('utf8', 4, end < 0 ? undefined : end))
}

/** Lets `size` enter at once, in order of arrival. */
class Gate {
  #free: number
  readonly #queue: (() => void)[] = []

  constructor(size: number) {
    this.#free = size
  }

  async enter(): Promise<Disposable> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#queue.push(resolve))
    return { [Symbol.dispose]: () => this.#leave() }
  }

  #leave(): void {
    const next = this.#queue.shift()
    if (next) next()
    else this.#free++
  }
}
