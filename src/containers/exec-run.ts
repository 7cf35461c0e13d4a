import { constants } from 'node:os'
import type { ShimHandle } from './ports.ts'

export interface ExecSteps {
  /** Between the making of the process, which waits, and its start: who connects here misses nothing. */
  readonly connect: (pid: number) => Promise<void>
  readonly beforeStart: () => void
}

/**
 * Makes a process in a running container and lets it go. Whatever fails in between, no process is left waiting there.
 * @param planFd stays the caller's
 */
export async function runExec(shim: ShimHandle, id: string, planFd: number, steps: ExecSteps): Promise<void> {
  const { pid } = await shim.create(id, planFd)
  try {
    await steps.connect(pid)
    steps.beforeStart()
    await shim.start(id)
  } catch (error) {
    // Not waited for: the caller tells of the failure, and does so before the shim tells of the end. A process that is gone is as well.
    shim.kill(id, constants.signals.SIGKILL).catch(() => undefined)
    throw error
  }
}
