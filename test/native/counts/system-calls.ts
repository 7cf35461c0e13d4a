import { commandStage } from '../faults/command-scenes.ts'
import type { Scene } from '../faults/scene.ts'
import { shimStage } from '../faults/shim-scenes.ts'

/** How often each call is made, by its name: a number, or the least and the most where it differs from run to run. */
export type Counts = Readonly<Record<string, number | readonly [number, number]>>

const runs = 5

/** How often a loop wakes up, and how the allocator's pieces lie, is not the same in every run; how far it may differ. */
const varying = /^(parent|child): (accept4|brk|close|epoll_pwait|mmap|munmap|poll|read|recvmsg|wait4)$/
const margin = 3

/** Of each verb by each of its processes, up to the execve of the container's program.   @param bridge as for `shimStage` */
export async function countSystemCalls(bridge: string): Promise<Record<string, Counts>> {
  const counts: Record<string, Counts> = {}
  for (const config of ['docker', 'minimal'] as const) {
    await using stage = await commandStage(config)
    for (const scene of stage.scenes) counts[`${scene.verb}, ${config}`] = await countsOf(scene)
  }
  await using stage = await shimStage(bridge)
  // How often a network is asked again is for the kernel to say.
  const steady = stage.scenes.filter(({ verb }) => verb !== 'shim network' && verb !== 'shim unlink')
  for (const scene of steady) counts[scene.verb] = await countsOf(scene)
  return counts
}

async function countsOf(scene: Scene): Promise<Counts> {
  await scene.play(undefined) // what is made once and kept is there afterwards
  const seen: Map<string, number>[] = []
  for (let run = 0; run < runs; run += 1) {
    const { trace, error } = await scene.play(undefined)
    if (error !== undefined) throw new Error(`${scene.verb}: ${error}`)
    const count = new Map<string, number>()
    for (const { process, name } of trace.calls) {
      const key = `${process === '0' ? 'parent' : 'child'}: ${name}`
      count.set(key, (count.get(key) ?? 0) + 1)
    }
    seen.push(count)
  }
  const names = [...new Set(seen.flatMap((count) => [...count.keys()]))].sort()
  return Object.fromEntries(
    names.map((name) => {
      const numbers = seen.map((count) => count.get(name) ?? 0)
      const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
      return [name, least === most ? least : ([least, most] as const)]
    }),
  )
}

/** "verb: call: 3, was 2" for each difference; a number may lie anywhere in a recorded range. */
export function differences(
  recorded: Readonly<Record<string, Counts>>,
  now: Readonly<Record<string, Counts>>,
): string[] {
  const verbs = new Set([...Object.keys(recorded), ...Object.keys(now)])
  return [...verbs].flatMap((verb) => {
    const [before = {}, after = {}] = [recorded[verb], now[verb]]
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((name) => !within(before[name] ?? 0, after[name] ?? 0, varying.test(name) ? margin : 0))
      .map((name) => `${verb}: ${name}: ${after[name] ?? 0}, was ${before[name] ?? 0}`)
  })
}

function within(before: Counts[string], after: Counts[string], apart: number): boolean {
  const [least, most] = typeof before === 'number' ? [before, before] : before
  const [now, nowMost] = typeof after === 'number' ? [after, after] : after
  return now >= least - apart && nowMost <= most + apart
}
