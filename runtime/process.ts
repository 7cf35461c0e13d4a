import { systemCode } from '#base/errors.ts'
import { type Library, valueAt } from './library.ts'

/** How a child ended, as waitpid(2) tells it. */
export interface WaitStatus {
  /** Exit code, or 128 + signal. */
  readonly code: number
  /** 0 when it exited by itself. */
  readonly signal: number
}

/** Processes and locks in ways that Node lacks. */
export interface Processes {
  /** A sealed copy of an executable in memory, which no container can write to; the caller closes the descriptor. */
  openExecutable(path: string): Promise<number>
  /**
   * Starts berth-shim in a session of its own. It gets `control` as descriptor 3 and no other; stdio is /dev/null.
   * @param logDescriptor its standard error; -1: /dev/null
   * @returns the pid, which must be reaped
   */
  spawnShim(executable: number, control: number, logDescriptor: number): number
  /** True when the child was reaped, now or before. */
  reap(pid: number): boolean
  /** The status of a child that has ended, which is reaped by this; undefined while it runs.   @throws when it is no child of ours. */
  wait(pid: number): WaitStatus | undefined
  /**
   * Never reaches a later process of the same number.
   * @param startTime field 22 of /proc/PID/stat
   * @throws `not-found` when that process has ended
   */
  signal(pid: number, startTime: bigint, signal: number): void
  /** The process that holds the POSIX record lock on the file; undefined when nobody does or the file is missing. */
  lockHolder(path: string): number | undefined
  /** Holds the file's flock until the descriptor is closed; undefined when another process has it. */
  takeLock(path: string): number | undefined
}

export function openProcesses(library: Library): Processes {
  return {
    async openExecutable(path) {
      const descriptor = new Int32Array(1)
      await library.wait('berth_executable_open', path, descriptor)
      return valueAt(descriptor, 0)
    },
    spawnShim(executable, control, logDescriptor) {
      const pid = new Int32Array(1)
      library.call('berth_shim_spawn', executable, control, logDescriptor, ['berth-shim', null], pid)
      return valueAt(pid, 0)
    },
    reap(pid) {
      return unlessCode('ECHILD', true, () => library.call('berth_reap', pid, new Int32Array(1)) === 1)
    },
    wait(pid) {
      const status = new Int32Array(1)
      return library.call('berth_reap', pid, status) === 1 ? toWaitStatus(valueAt(status, 0)) : undefined
    },
    signal(pid, startTime, signal) {
      library.call('berth_signal', pid, startTime, signal)
    },
    lockHolder(path) {
      const pid = new Int32Array(1)
      const held = unlessCode('ENOENT', 0, () => library.call('berth_lock_test', path, pid))
      return held === 1 ? valueAt(pid, 0) : undefined
    },
    takeLock(path) {
      const descriptor = new Int32Array(1)
      const taken = unlessCode('EAGAIN', -1, () => library.call('berth_lock_take', path, descriptor))
      return taken < 0 ? undefined : valueAt(descriptor, 0)
    },
  }
}

function unlessCode<T>(code: string, instead: T, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (systemCode(error) === code) return instead
    throw error
  }
}

/** @see wait(2): the low seven bits are the signal, the second byte the exit code. */
function toWaitStatus(status: number): WaitStatus {
  const signal = status & 0x7f
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: 0 } : { code: 128 + signal, signal }
}
