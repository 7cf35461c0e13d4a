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
 * kernel would do as if nothing had been asked.   @throws `internal` in Docker's words
 */
export async function checkPropagation(points: readonly MountPoint[]): Promise<void> {
  const asking = points.filter(({ type, propagation }) => type === 'bind' && /^r?(shared|slave)$/.test(propagation))
  if (asking.length === 0) return
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  for (const { source, propagation } of asking) {
    const path = await resolved(source)
    const mount = mounts.findLast(({ point }) => isBelow(path, point) && point === longest(mounts, path))
    const isShared = mount?.tags.some((tag) => tag.startsWith('shared:')) === true
    const isSlave = mount?.tags.some((tag) => tag.startsWith('master:')) === true
    const place = mount?.point ?? '/'
    if (propagation.endsWith('shared') && !isShared) {
      throw internal(`path ${source} is mounted on ${place} but it is not a shared mount`)
    }
    if (propagation.endsWith('slave') && !isShared && !isSlave) {
      throw internal(`path ${source} is mounted on ${place} but it is not a shared or slave mount`)
    }
  }
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

function isBelow(path: string, point: string): boolean {
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
