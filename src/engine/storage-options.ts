import { invalid, messageOf, unavailable } from '#base/errors.ts'
import { parseStorageSize } from '#containers/storage-size.ts'

/** dockerd's storage options, of which there is one: `overlay2.size`, also where layers are copied.   @throws `invalid` in dockerd's words */
export function checkStorageOptions(options: readonly string[]): readonly string[] {
  sizeOf(options)
  return options
}

/**
 * What containers that ask for no size may write.
 * @returns bytes; 0: as much as there is
 * @throws `invalid`, `unavailable`
 */
export function defaultStorageSize(options: readonly string[], canLimit: boolean): number {
  const bytes = sizeOf(options)
  if (bytes === 0 || canLimit) return bytes
  throw unavailable(
    "Storage option overlay2.size not supported. Filesystem does not support Project Quota: the data root must be on xfs mounted with 'pquota', or on ext4 with the feature project and the mount option 'prjquota'",
  )
}

function sizeOf(options: readonly string[]): number {
  let bytes = 0
  for (const option of options) {
    const at = option.indexOf('=')
    if (at < 0) throw invalid(`unable to parse storage-opt key/value: ${option}`)
    const key = option.slice(0, at).trim().toLowerCase()
    if (key !== 'overlay2.size') throw invalid(`overlay2: unknown option ${key}`)
    bytes = parsed(option.slice(at + 1).trim())
  }
  return bytes
}

function parsed(text: string): number {
  try {
    return parseStorageSize(text)
  } catch (cause) {
    throw invalid(messageOf(cause), { cause })
  }
}
