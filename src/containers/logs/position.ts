import { readFile } from 'node:fs/promises'
import { writeFileAtomic } from '#base/atomic-file.ts'

/** Up to where a log was sent. */
export interface Position {
  readonly inode: bigint
  readonly offset: number
}

/** Undefined: nothing was, or nobody can tell. */
export async function readPosition(path: string): Promise<Position | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const [, inode, offset] = /^(\d+) (\d+)\n$/.exec(text) ?? []
  return inode === undefined ? undefined : { inode: BigInt(inode), offset: Number(offset) }
}

export async function writePosition(path: string, { inode, offset }: Position): Promise<void> {
  await writeFileAtomic(path, `${inode} ${offset}\n`)
}
