import type { Overall, PullProgress } from './progress.ts'

type LayerLine = Omit<PullProgress, 'id'>

/** The rate is of this long. */
const windowMs = 5000
/** A rate of less says nothing. */
const leastMs = 500

/** Sums up the downloads of one image's layers. */
export class PullTotal {
  readonly #sizes: readonly number[]
  readonly #now: () => number
  /** Bytes that are here of each layer; undefined until something is told of it. */
  readonly #here: (number | undefined)[]
  #moved = 0
  #seen: { readonly atMs: number; readonly moved: number }[] = []

  /** @param sizes of the layers' blobs */
  constructor(sizes: readonly number[], now: () => number = () => performance.now()) {
    this.#sizes = sizes
    this.#now = now
    this.#here = sizes.map(() => undefined)
  }

  /** The same line, and what it makes of the whole if it tells of a download. */
  add(layer: number, progress: LayerLine): LayerLine {
    const here = progress.status === 'Download complete' ? this.#sizes[layer] : downloaded(progress)
    if (here === undefined) return progress
    // What an earlier pull left, or another one brings, is no rate of ours.
    this.#moved += Math.max(0, here - (this.#here[layer] ?? here))
    this.#here[layer] = here
    return { ...progress, overall: this.#sum() }
  }

  #sum(): Overall {
    const [current, total] = [sum(this.#here), sum(this.#sizes)]
    const bytesPerSecond = this.#rate()
    if (bytesPerSecond === undefined) return { current, total }
    if (bytesPerSecond === 0) return { current, total, bytesPerSecond }
    return { current, total, bytesPerSecond, remainingSeconds: Math.ceil((total - current) / bytesPerSecond) }
  }

  #rate(): number | undefined {
    const atMs = this.#now()
    this.#seen = [...this.#seen.filter((one) => atMs - one.atMs <= windowMs), { atMs, moved: this.#moved }]
    const [first] = this.#seen
    if (!first || atMs - first.atMs < leastMs) return undefined
    return Math.round(((this.#moved - first.moved) * 1000) / (atMs - first.atMs))
  }
}

function downloaded({ status, detail }: LayerLine): number | undefined {
  return status === 'Downloading' ? detail?.current : undefined
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0)
}
