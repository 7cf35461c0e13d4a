import type { ShimHandle } from './ports.ts'

/** The running instance of a container. */
export interface Task {
  readonly containerId: string
  readonly shim: ShimHandle
}

/** Tasks by container id. */
export class TaskTable {
  readonly #tasks = new Map<string, Task>()

  find(containerId: string): Task | undefined {
    return this.#tasks.get(containerId)
  }

  add(task: Task): void {
    this.#tasks.set(task.containerId, task)
  }

  /** False when the task was no longer there: somebody else has dealt with its end. */
  delete(task: Task): boolean {
    return this.#tasks.get(task.containerId) === task && this.#tasks.delete(task.containerId)
  }

  all(): readonly Task[] {
    return [...this.#tasks.values()]
  }
}
