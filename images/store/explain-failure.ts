import { statfs } from 'node:fs/promises'
import { relative } from 'node:path'
import { BerthError, internal, isKind, noSpace, systemCode, unavailable } from '#base/errors.ts'
import { formatBytes } from '#base/quantity.ts'

export interface Attempt {
  /** Begins the sentence: `pulling busybox`. */
  readonly what: string
  /** The data root, whose disk it was. */
  readonly root: string
}

/** What each path below the data root is for, the first that fits. */
const purposes: readonly (readonly [RegExp, string])[] = [
  [/^content\/blobs/, 'a blob of an image'],
  [/^content\/ingest/, 'a blob that is being written or removed'],
  [/^content/, 'the content store'],
  [/^snapshots\/\d+\/digests/, 'the record of a layer'],
  [/^snapshots/, 'the files of a layer'],
  [/^quarantine/, 'the quarantine'],
  [/^state\.db/, 'the database'],
]

/** Does the work; what the system refused it for is told with what the file was for and the way out.   @throws as the work does */
export async function explained<T>(attempt: Attempt, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw await explainFailure(attempt, error)
  }
}

/** As `explained`, of work whose failure ends its progress. */
export async function* explainedProgress<T>(attempt: Attempt, progress: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* progress
  } catch (error) {
    throw await explainFailure(attempt, error)
  }
}

/** Errors that tell of the disk or of limits of the process, in words for people; others as they are. */
export async function explainFailure(attempt: Attempt, thrown: unknown): Promise<unknown> {
  const error = rootOf(thrown)
  const code = systemCode(error)
  if (isKind(error, 'no-space')) return error.code === undefined ? await withFreeSpace(attempt, error) : error
  if (error instanceof BerthError || !(error instanceof Error) || !('syscall' in error)) return error
  const purpose = purposeOf(error, attempt.root)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return await withFreeSpace(attempt, noSpace(`no space left for ${purpose} (${error.message})`, { cause: error }))
  }
  const words = `${attempt.what} failed at ${purpose}: ${error.message}`
  if (code === 'EMFILE' || code === 'ENFILE') {
    const wayOut = "raise the daemon's limit of open files (LimitNOFILE=, ulimit -n)"
    return unavailable(`${words}: ${wayOut}`, { cause: error, code: 'open-files' })
  }
  if (code !== 'EIO' && code !== 'EROFS') return error
  return internal(`${words}: look at the kernel's log (dmesg), then run system check`, { cause: error, code: 'disk' })
}

/** What failed first, where cleaning up behind it failed too. */
function rootOf(error: unknown): unknown {
  return error instanceof SuppressedError ? rootOf(error.suppressed) : error
}

function purposeOf(error: object, root: string): string {
  const path = 'path' in error && typeof error.path === 'string' ? relative(root, error.path) : ''
  return purposes.find(([pattern]) => pattern.test(path))?.[1] ?? 'a file of the image store'
}

/** Of a disk that may have got room again by what was given up. */
async function withFreeSpace({ what, root }: Attempt, error: BerthError): Promise<BerthError> {
  const { bavail, bsize, files, ffree } = await statfs(root)
  const inodes = files > 0 ? ` and ${ffree} inodes` : ''
  const free = `${formatBytes(bavail * bsize)}${inodes} are free now that it is given up`
  const wayOut = 'remove images or containers (system prune), or enlarge the disk'
  const reason = error.message.replace(/^no space left /, '').replace(/: remove .*$/, '')
  return noSpace(`no space left on the disk of ${root} (${what}): ${reason}; ${free}: ${wayOut}`, {
    ...{ cause: error, code: 'disk-full' },
  })
}
