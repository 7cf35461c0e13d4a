import type { FilesystemChanges } from '#contract/types.gen.ts'
import type { FileChange } from '#engine/engine.ts'

const kinds: Readonly<Record<FileChange['kind'], number>> = { modified: 0, added: 1, deleted: 2 }

export function presentChange({ kind, path }: FileChange): NonNullable<FilesystemChanges>[number] {
  return { Path: path, Kind: kinds[kind] }
}
