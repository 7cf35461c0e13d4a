import type { AttachStream } from './attach-stream.ts'
import type { AttachFlags } from './ports.ts'

export interface PendingAttach {
  readonly stream: AttachStream
  readonly flags: AttachFlags
}

/** Clients that attached to containers which do not run yet. */
export class AttachTable {
  readonly #pending = new Map<string, Set<PendingAttach>>()

  /** Leaves again by itself when the client goes away. */
  add(containerId: string, attach: PendingAttach): void {
    const pending = this.#pending.getOrInsertComputed(containerId, () => new Set())
    pending.add(attach)
    attach.stream.once('close', () => {
      pending.delete(attach)
      if (pending.size === 0 && this.#pending.get(containerId) === pending) this.#pending.delete(containerId)
    })
  }

  /** Those that wait now; they are the caller's from here on. */
  take(containerId: string): PendingAttach[] {
    const pending = [...(this.#pending.get(containerId) ?? [])]
    this.#pending.delete(containerId)
    return pending
  }

  /** Ends them all: the container will not start. */
  finish(containerId: string): void {
    for (const { stream } of this.take(containerId)) stream.finish()
  }
}
