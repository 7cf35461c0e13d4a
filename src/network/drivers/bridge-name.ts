import { unavailable } from '#base/errors.ts'
import type { HostLinks, HostMemory } from './driver.ts'

/** Remembers the bridge that stands on the host because of us. */
export const madeBridge = 'bridge'

const candidates = 16

/** Whether the link is a bridge of ours or of another engine of our kind on this host. */
export function isEngineBridge(name: string): boolean {
  return /^berth(\d+|-[0-9a-f]{9})$/.test(name)
}

/**
 * Ours, if we made one; else `berth0`, or the next number while a link of that name stands already: it is another engine's, whose
 * containers have addresses that we know nothing of.
 * @throws `unavailable` when all names are taken
 */
export function chooseBridge(links: HostLinks, memory: HostMemory): string {
  const made = memory.get(madeBridge)
  if (made !== undefined) return made
  const taken = new Set(links.links().map(({ name }) => name))
  const names = Array.from({ length: candidates }, (_, number) => `berth${number}`)
  const free = names.find((name) => !taken.has(name))
  if (free !== undefined) return free
  throw unavailable(
    `all names for a bridge (berth0 to berth${candidates - 1}) are taken: delete those that no engine uses`,
  )
}
