import { formatNanos } from '#base/timestamp.ts'
import type { PathStat } from '#engine/engine.ts'

/** Type and special bits as Go has them, by what stat(2) has. */
const goTypes: ReadonlyMap<number, number> = new Map([
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
])
const goBits: readonly (readonly [bit: number, inGo: number])[] = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
]

const symlinkType = 0o120000
const typeMask = 0o170000

/** What the docker CLI decides by, before and instead of reading an archive. */
export function presentPathStat(stat: PathStat): Record<string, string> {
  const { name, size, mode, modifiedAt, resolved } = stat
  const linkTarget = (mode & typeMask) === symlinkType ? resolved : ''
  const body = { name, size, mode: toGoMode(mode), mtime: formatNanos(modifiedAt), linkTarget }
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(body)).toString('base64') }
}

/** @see Go's io/fs.FileMode */
export function toGoMode(mode: number): number {
  const bits = goBits.reduce((sum, [bit, inGo]) => sum + (mode & bit ? inGo : 0), 0)
  return (goTypes.get(mode & typeMask) ?? 0) + bits + (mode & 0o777)
}
