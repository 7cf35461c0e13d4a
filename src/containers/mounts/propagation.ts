import { readFile, realpath } from 'node:fs/promises'
import { internal, systemCode } from '#base/errors.ts'
import type { MountPoint } from '../container.ts'

interface HostMount {
  readonly point: string
  /** `shared:1`, `master:2` … */
  readonly tags: readonly string[]
}

/**
 * A bind that is to see the host's later mounts, or tell it of its own, needs a source on a mount that takes part in that; without it the
 * kernel would do as if nothing had been asked.
 * @returns the mounts as they can be: what nobody asked for gives way   @throws `internal` in Docker's words
 */
export async function settlePropagation(points: readonly MountPoint[]): Promise<readonly MountPoint[]> {
  if (!points.some(asksForPropagation)) return points
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  return await Promise.all(
    points.map(async (point) => {
      if (!asksForPropagation(point)) return point
      const problem = problemOf(point, mounts, await resolved(point.source))
      if (problem === undefined) return point
      if (point.propagationIsDefault) return { ...point, propagation: '' as const }
      throw internal(problem)
    }),
  )
}

function asksForPropagation({ type, propagation }: MountPoint): boolean {
  return type === 'bind' && /^r?(shared|slave)$/.test(propagation)
}

/** @param path where the source leads   @returns undefined: the source is on a mount that can do it */
function problemOf(
  { source, propagation }: MountPoint,
  mounts: readonly HostMount[],
  path: string,
): string | undefined {
  const mount = mounts.findLast(({ point }) => isBelow(path, point) && point === longest(mounts, path))
  const isShared = mount?.tags.some((tag) => tag.startsWith('shared:')) === true
  const isSlave = mount?.tags.some((tag) => tag.startsWith('master:')) === true
  if (isShared || (isSlave && propagation.endsWith('slave'))) return undefined
  const kinds = propagation.endsWith('shared') ? 'shared' : 'shared or slave'
  return `path ${source} is mounted on ${mount?.point ?? '/'} but it is not a ${kinds} mount`
}

/** @see proc_pid_mountinfo(5): fields before a hyphen, the optional ones from the seventh on */
export function parseMountInfo(text: string): HostMount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ')
      const hyphen = fields.indexOf('-', 6)
      const point = (fields[4] ?? '').replace(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      )
      return { point, tags: fields.slice(6, hyphen) }
    })
}

function longest(mounts: readonly HostMount[], path: string): string {
  return mounts.reduce((best, { point }) => (isBelow(path, point) && point.length > best.length ? point : best), '/')
}

/** Both absolute; a path is below itself. */
export function isBelow(path: string, point: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`)
}

/** One that is not there yet is the runtime's to tell of. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return path
    throw error
  }
}
