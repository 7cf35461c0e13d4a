import { internal, isKind, messageOf } from '#base/errors.ts'
import { parseBytes } from '#base/quantity.ts'

/**
 * What a container may write, by its `--storage-opt` or else by the daemon's default.
 * @returns bytes; undefined: as much as there is
 * @throws `internal` in Docker's words, which answers 500 to them
 */
export function storageLimit(
  options: Readonly<Record<string, string>>,
  { defaultSizeBytes, canLimit }: { readonly defaultSizeBytes: number; readonly canLimit: boolean },
): number | undefined {
  if (Object.hasOwn(options, 'size') && !canLimit) {
    throw internal(
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option, or ext4 with the feature project and the mount option 'prjquota'",
    )
  }
  let bytes = defaultSizeBytes
  for (const [key, value] of Object.entries(options)) {
    if (key.toLowerCase() !== 'size') throw internal(`Unknown option ${key.toLowerCase()}`)
    bytes = parseStorageSize(value)
  }
  return bytes === 0 ? undefined : bytes
}

/** @throws `internal` */
export function parseStorageSize(text: string): number {
  try {
    const bytes = parseBytes(text)
    if (Number.isSafeInteger(bytes)) return bytes
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error
    throw internal(messageOf(error), { cause: error })
  }
  throw internal(`invalid size: '${text}'`)
}
