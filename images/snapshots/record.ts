import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { internal, isKind, systemCode } from '#base/errors.ts'
import type { SnapshotVerification } from './snapshotter.ts'
import type { SnapshotDirectories } from './tree-format.ts'
import { runTreeJobOn } from './tree-process.ts'

/** Beside the files of a committed snapshot: what they were, entry by entry. Only berth-unpack knows its form. */
export function recordOf({ own }: Pick<SnapshotDirectories, 'own'>): string {
  return join(own, 'digests')
}

export function isRecorded(directories: Pick<SnapshotDirectories, 'own'>): boolean {
  return existsSync(recordOf(directories))
}

/** Reads the whole tree, in a child of low priority, and keeps what it finds. The tree must not change any more. */
export async function recordTree(
  executable: string,
  { own, files }: Pick<SnapshotDirectories, 'own' | 'files'>,
  signal?: AbortSignal,
): Promise<void> {
  const temporary = join(own, 'digests.new')
  try {
    await using target = await open(files, 'r')
    await using output = await open(temporary, 'w', 0o600)
    await runTreeJobOn(executable, ['--record'], { target: target.fd, output: output.fd }, signal)
    await output.datasync()
    await rename(temporary, recordOf({ own }))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Compares the tree with its record, in a child of low priority. */
export async function verifyTree(
  executable: string,
  directories: Pick<SnapshotDirectories, 'own' | 'files'>,
  signal?: AbortSignal,
): Promise<SnapshotVerification> {
  try {
    await using target = await open(directories.files, 'r')
    if (!isRecorded(directories)) return { state: 'unrecorded' }
    await using record = await open(recordOf(directories), 'r')
    return parseVerification(
      await runTreeJobOn(executable, ['--verify'], { target: target.fd, second: record.fd }, signal),
    )
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { state: 'missing' }
    if (isKind(error, 'data-loss')) return { state: 'damaged', differences: [error.message], count: 1 }
    throw error
  }
}

/** Lines of differences, then `total DIFFERENCES ENTRIES`. */
function parseVerification(text: string): SnapshotVerification {
  const lines = text.trimEnd().split('\n')
  const [, differences, entries] = /^total (\d+) (\d+)$/.exec(lines.at(-1) ?? '') ?? []
  if (differences === undefined) throw internal(`berth-unpack answered no total: ${text.slice(-200)}`)
  if (differences === '0') return { state: 'intact', entries: Number(entries) }
  return { state: 'damaged', differences: lines.slice(0, -1), count: Number(differences) }
}
