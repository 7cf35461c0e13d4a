import { setTimeout as delay } from 'node:timers/promises'

/**
 * Polls a condition of the outside world that has no event of its own, until it is fulfilled (neither undefined nor false).
 * @throws after `timeoutMs`, naming `what`
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 15_000, intervalMs = 10 }: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await delay(intervalMs)
  }
}
