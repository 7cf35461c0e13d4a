import type { Container } from '../container.ts'

/** Probes a container until the signal says that it does not run any more.   @param since from when the first interval counts, nanoseconds */
export type ProbeLoop = (container: Container, since: bigint, signal: AbortSignal) => void

/** Which containers are being probed: at most one loop each. */
export class HealthMonitors {
  readonly #loop: ProbeLoop
  readonly #running = new Map<string, AbortController>()

  constructor(loop: ProbeLoop) {
    this.#loop = loop
  }

  /** For a container that runs now; one without health check is left alone. */
  begin(container: Container, since: bigint): void {
    this.end(container.id)
    if (!container.state.health) return
    const controller = new AbortController()
    this.#running.set(container.id, controller)
    this.#loop(container, since, controller.signal)
  }

  /** It is paused, or has ended. A probe under way is given up, and what it would have said is not recorded. */
  end(id: string): void {
    this.#running.get(id)?.abort()
    this.#running.delete(id)
  }
}
