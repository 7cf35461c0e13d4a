import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The mounts of this process below a directory, by path.   @see proc_pid_mountinfo(5): the fifth field, with \ooo for some characters */
export async function mountedBelow(directory: string): Promise<Set<string>> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const points = lines.map((line) => unescapeOctal(line.split(' ', 5)[4] ?? ''))
  return new Set(points.filter((point) => dirname(point).startsWith(directory)))
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
