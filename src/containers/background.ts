import { messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Background } from './context.ts'

/** Work that nobody waits for. It is not cut off: `settled` waits for what runs, `signal` tells it to hurry. */
export function openBackground(log: Logger): Background & { stop(): Promise<void> } {
  const controller = new AbortController()
  const running = new Set<Promise<void>>()
  const settled = async () => {
    while (running.size > 0) await Promise.all(running)
  }
  return {
    signal: controller.signal,
    run(what, work) {
      const done = work()
        .catch((error: unknown) => log.error({ error: messageOf(error) }, `${what} failed`))
        .finally(() => running.delete(done))
      running.add(done)
    },
    settled,
    async stop() {
      controller.abort()
      await settled()
    },
  }
}
