import { randomInt } from 'node:crypto'
import { unavailable } from '#base/errors.ts'

const categories = 1024
const pairs = (categories * (categories - 1)) / 2

/** Of privileged containers' files: no other container gets it. */
export const privilegedLevel = `s0:c${categories - 2},c${categories - 1}`

/**
 * A level of two categories, `s0:c1,c2`, that nobody has: what has other categories is out of reach.
 * @param random a number below its argument
 * @throws `unavailable` when all are taken
 */
export function freeLevel(taken: ReadonlySet<string>, random: (below: number) => number = randomInt): string {
  let pair = pairAt(random(pairs))
  for (let tried = 0; tried < pairs; tried++) {
    const level = `s0:c${pair.low},c${pair.high}`
    if (level !== privilegedLevel && !taken.has(level)) return level
    pair = after(pair)
  }
  throw unavailable('containers have every pair of SELinux categories: remove some, or give a level by --security-opt')
}

interface Pair {
  readonly low: number
  readonly high: number
}

/** Pairs in the order 0,1 0,2 … 1,2 … and again from the first. */
function pairAt(index: number): Pair {
  let low = 0
  let rest = index
  while (rest >= categories - 1 - low) {
    rest -= categories - 1 - low
    low++
  }
  return { low, high: low + 1 + rest }
}

function after({ low, high }: Pair): Pair {
  if (high + 1 < categories) return { low, high: high + 1 }
  return low + 2 < categories ? { low: low + 1, high: low + 2 } : { low: 0, high: 1 }
}
