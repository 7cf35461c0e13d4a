import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault, Trace } from './injector.ts'

/** A verb on a stage of its own, that can be played as often as one likes. */
export interface Scene {
  readonly verb: string
  /** The verb, and what is special about its container. */
  readonly title: string
  play(fault: Fault | undefined): Promise<Ending>
}

export interface Stage extends AsyncDisposable {
  readonly scenes: readonly Scene[]
}

export interface Ending {
  readonly trace: Trace
  /** What the verb said when it did not succeed. */
  readonly error: string | undefined
  readonly leaks: readonly string[]
}

/** The groups of this name in every hierarchy. */
export function cgroupsNamed(name: string): string[] {
  const root = '/sys/fs/cgroup'
  return ['', ...readdirSync(root)].map((hierarchy) => join(root, hierarchy, name)).filter((path) => existsSync(path))
}

/** Mounts of this process's namespace below the directory. */
export function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${directory}`))
}

/** Every id from 100000 on, in user and time namespaces. */
export function withUsers(config: object): object {
  const { linux } = config as { linux: { namespaces: readonly object[] } }
  const maps = [{ containerID: 0, hostID: firstUser, size: 65536 }]
  const namespaces = [...linux.namespaces, { type: 'user' }, { type: 'time' }]
  const own = { namespaces, uidMappings: maps, gidMappings: maps, timeOffsets: { boottime: { secs: 100 } }, sysctl: {} }
  return { ...config, linux: { ...linux, ...own } }
}

export const firstUser = 100_000

export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
