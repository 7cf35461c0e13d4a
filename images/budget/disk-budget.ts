import { statfs } from 'node:fs/promises'
import { type BerthError, noSpace } from '#base/errors.ts'
import { type Amount, formatBytes } from '#base/quantity.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Snapshotter } from '../snapshots/snapshotter.ts'

export interface DiskLimits {
  /** The most that blobs and layers may take together; what containers write is not counted. */
  readonly budget?: Amount
  /** What must stay free on the file system. */
  readonly minFree?: Amount
}

export interface DiskBudgetParts {
  /** A directory on the file system in question. */
  readonly root: string
  readonly content: Pick<ContentStore, 'find' | 'list'>
  readonly snapshots: Pick<Snapshotter, 'list'>
  readonly limits: DiskLimits
}

/** Space that somebody was promised and has not written yet. */
export interface Promised extends Disposable {
  /** So much of it is written. */
  used(bytes: number): void
}

/** In bytes. */
interface Disk {
  readonly free: number
  readonly kept: number
  readonly budget: number | undefined
  /** By blobs and layers; 0 without a budget. */
  readonly taken: number
}

const wayOut = 'remove images or containers (system prune), or enlarge the disk'

/** Says before anything is written whether there is room for it. Removing asks nobody. */
export class DiskBudget {
  readonly #parts: DiskBudgetParts
  #promised = 0
  /** Of all promises since the start. */
  #givenBack = 0

  constructor(parts: DiskBudgetParts) {
    this.#parts = parts
  }

  /** @param what begins the error: `image 0123456789ab`   @param bytes at least needed; 0 asks whether there is any room
   *  @throws `no-space` that names both sides and the way out */
  async admit(what: string, bytes: number): Promise<Promised> {
    for (;;) {
      const before = this.#givenBack
      const disk = await this.#look()
      // What others wrote meanwhile may have been missed, or counted twice.
      const promised = this.#promised + this.#givenBack - before
      const refusal = refusalOf(what, { disk, promised, bytes })
      if (!refusal) return this.#promise(bytes)
      if (this.#givenBack === before) throw refusal
    }
  }

  async #look(): Promise<Disk> {
    const { root, limits } = this.#parts
    const { bavail, blocks, bsize } = await statfs(root)
    const kept = toBytes(limits.minFree, blocks * bsize) ?? 0
    const budget = toBytes(limits.budget, blocks * bsize)
    return { free: bavail * bsize, kept, budget, taken: budget === undefined ? 0 : await this.#taken() }
  }

  #promise(bytes: number): Promised {
    let left = bytes
    this.#promised += bytes
    const used = (some: number) => {
      const part = Math.min(some, left)
      left -= part
      this.#promised -= part
      this.#givenBack += part
    }
    return { used, [Symbol.dispose]: () => used(left) }
  }

  async #taken(): Promise<number> {
    const { content, snapshots } = this.#parts
    const layers = snapshots.list().reduce((sum, { usage }) => sum + (usage?.bytes ?? 0), 0)
    let blobs = 0
    for (const digest of await content.list()) blobs += (await content.find(digest))?.size ?? 0
    return layers + blobs
  }
}

function refusalOf(
  what: string,
  { disk, promised, bytes }: { disk: Disk; promised: number; bytes: number },
): BerthError | undefined {
  const { free, kept, budget, taken } = disk
  const needs = bytes > 0 ? `${what} needs at least ${formatBytes(bytes)}` : `${what} needs room`
  if (bytes > free - kept - promised || (kept > 0 && free < kept)) {
    return noSpace(`${needs}, but ${freeInWords(disk, promised)}: ${wayOut}`, { code: 'disk-full' })
  }
  if (budget === undefined || (taken + promised + bytes <= budget && taken < budget)) return undefined
  const words = `images take ${formatBytes(taken + promised)} of their disk.budget of ${formatBytes(budget)}`
  return noSpace(`${needs}, but ${words}: remove images (image prune -a), or raise it`, { code: 'disk-budget' })
}

function freeInWords({ free, kept }: Disk, promised: number): string {
  const reserved = [
    ...(kept > 0 ? [`disk.minFree keeps ${formatBytes(kept)}`] : []),
    ...(promised > 0 ? [`${formatBytes(promised)} are promised to others`] : []),
  ]
  return `${formatBytes(free)} are free${reserved.length === 0 ? '' : ` (${reserved.join(', ')})`}`
}

function toBytes(amount: Amount | undefined, total: number): number | undefined {
  if (amount === undefined) return undefined
  return 'bytes' in amount ? amount.bytes : Math.trunc((total * amount.percent) / 100)
}
