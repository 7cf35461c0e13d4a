import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { openCgroups } from '#runtime/cgroup.ts'
import { openLibrary } from '#runtime/library.ts'
import { openPlans } from '#runtime/plan.ts'
import { openProcesses } from '#runtime/process.ts'
import { openSockets } from '#runtime/socket.ts'
import type { ShimKernel } from '#shim/kernel.ts'
import { ShimLauncher, type ShimLauncherOptions } from '#shim/launch.ts'
import type { Shim } from '#shim/shim.ts'

const native = new URL('../../../build/native/', import.meta.url).pathname

/** What stands in for the daemon: a launcher of real shims and the compiler of their plans. */
export interface Keeper extends AsyncDisposable {
  readonly launcher: ShimLauncher
  readonly kernel: ShimKernel
  /** What the launcher reported because nobody waited for it. */
  readonly reported: readonly unknown[]
  /** berth-shim, sealed; the keeper's. */
  readonly executable: number
  /** The caller closes the plan. */
  compile(config: object, keeper: object | undefined): number
  /** @param filter of `Seccomp.compile`; needed when the configuration has `linux.seccomp` */
  create(
    shim: Shim,
    task: string,
    config: object,
    keeper: object | undefined,
    filter?: Uint8Array,
  ): Promise<{ pid: number }>
  removeCgroup(path: string): Promise<void>
}

export interface KeeperOptions extends Pick<ShimLauncherOptions, 'warm' | 'timeoutMs' | 'logDescriptor'> {
  /** Path of another berth-shim than the one just built. */
  readonly shim?: string
  /** In place of what the kernel would do for the daemon's side. */
  readonly kernel?: Partial<ShimKernel>
}

/** Without options every shim is a cold one. */
export async function openKeeper({ shim, kernel: instead, ...options }: KeeperOptions = {}): Promise<Keeper> {
  const library = await openLibrary({ libraryPath: `${native}libberth.so` })
  const [processes, sockets, plans] = [openProcesses(library), openSockets(library), openPlans(library)]
  const kernel: ShimKernel = { ...sockets, ...processes, ...instead }
  const executable = await processes.openExecutable(shim ?? `${native}berth-shim`)
  const reported: unknown[] = []
  const shims = new Set<Shim>()
  const report = (error: unknown): void => void reported.push(error)
  const launcher = new ShimLauncher({ kernel, executable, warm: 0, report, logDescriptor: 2, ...options })
  return {
    launcher,
    kernel,
    reported,
    executable,
    compile: (config, document) => plans.compile(config, document, undefined),
    async create(shim, task, config, keeper, filter) {
      shims.add(shim)
      const plan = plans.compile(config, keeper, filter)
      try {
        return await shim.create(task, plan)
      } finally {
        sockets.close(plan)
      }
    },
    removeCgroup: (path) => openCgroups(library).remove(path),
    /** A test that failed half-way must not leave its containers. */
    async [Symbol.asyncDispose]() {
      for (const shim of shims) if (isAlive(shim.pid)) await shim.destroy()
      await launcher[Symbol.asyncDispose]()
      sockets.close(executable)
    },
  }
}

/** A zombie that nobody collects is as gone as it can be. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

export async function pssBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024
}
