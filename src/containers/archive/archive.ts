import type { Readable } from 'node:stream'
import { onAbort } from '#base/abort.ts'
import { invalid, isKind, noSpace, notFound } from '#base/errors.ts'
import { clean } from '../clean-path.ts'
import type { Container } from '../container.ts'
import { publish } from '../container-events.ts'
import type { ContainerContext } from '../context.ts'
import type { FoundPlace } from '../ports.ts'
import { LayerView } from '../spec/layer-view.ts'
import { resolveUser, userFileLimit } from '../spec/user.ts'
import { nameOf, toArchivePath } from './archive-path.ts'
import { type ContainerRoot, openContainerRoot } from './open-root.ts'

/** What a client is told of a path. */
export interface PathStat extends FoundPlace {
  readonly name: string
}

export interface CopyInRequest {
  readonly path: string
  /** Neither replaces a directory by something else, nor the other way round. */
  readonly keepKinds: boolean
  /** What is made belongs to the user that the container runs as; else to whoever the archive says. */
  readonly asContainerUser: boolean
}

const fileType = 0o170000
const directoryType = 0o040000

/** @throws `not-found` in Docker's words */
export async function statPath(
  context: ContainerContext,
  name: string,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Promise<PathStat> {
  await using root = await openContainerRoot(context, name, signal)
  const wanted = toArchivePath(path)
  const place = await found(name, path, context.files.look(root.fds, wanted, root.signal))
  return { ...place, name: nameOf(wanted) }
}

/** A path as a tar; what cannot be begun fails here. Ending the iteration early ends the work.   @throws `not-found` in Docker's words */
export async function copyOut(
  context: ContainerContext,
  name: string,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Promise<{ stat: PathStat; archive: AsyncIterable<Uint8Array> }> {
  await using undo = new AsyncDisposableStack()
  const root = undo.use(await openContainerRoot(context, name, signal))
  const wanted = toArchivePath(path)
  const request = { fds: root.fds, path: wanted, name: nameOf(wanted) }
  const { place, archive, stop } = await found(name, path, context.files.copyOut(request, root.signal))
  undo.defer(stop)
  publish(context, root.container, 'archive-path')
  const opened = undo.move()
  // A client that is gone, or does not read, leaves nobody who would end the iteration.
  onAbort(root.signal, () => context.background.run('ending a copy', () => opened.disposeAsync()))
  return { stat: { ...place, name: nameOf(wanted) }, archive: readAll(archive, opened) }
}

async function* readAll(archive: AsyncIterable<Uint8Array>, opened: AsyncDisposableStack): AsyncGenerator<Uint8Array> {
  await using _opened = opened
  yield* archive
}

/** Makes the files of an archive in a directory of the container.   @throws `not-found`, `invalid` in Docker's words */
export async function copyIn(
  context: ContainerContext,
  name: string,
  {
    request,
    archive,
    signal,
  }: { readonly request: CopyInRequest; readonly archive: Readable; readonly signal: AbortSignal },
): Promise<void> {
  await using root = await openContainerRoot(context, name, signal)
  const { container } = root
  const target = await directoryAt(context, root, { name, path: request.path })
  checkWritable(container, target)
  const owner = request.asContainerUser ? ownerOf(context, container) : undefined
  const { keepKinds } = request
  try {
    await context.files.copyIn({ fds: root.fds, path: target, keepKinds, owner, archive }, root.signal)
  } catch (error) {
    if (isKind(error, 'no-space')) throw noSpace(`no room in container ${name}: ${error.message}`, { cause: error })
    throw error
  }
  publish(context, container, 'extract-to-dir')
}

/** Without symlinks. */
async function directoryAt(
  { files }: ContainerContext,
  root: ContainerRoot,
  { name, path }: { readonly name: string; readonly path: string },
): Promise<string> {
  const wanted = toArchivePath(path).replace(/(.)\/\.?$/, '$1')
  const { resolved, resolvedMode } = await found(name, path, files.look(root.fds, wanted, root.signal))
  if (resolvedMode === 0) throw missing(name, path)
  if ((resolvedMode & fileType) !== directoryType) throw invalid('extraction point is not a directory')
  return resolved
}

async function found<T>(name: string, path: string, looking: Promise<T>): Promise<T> {
  try {
    return await looking
  } catch (error) {
    if (isKind(error, 'not-found')) throw missing(name, path)
    throw error
  }
}

function missing(name: string, path: string): Error {
  return notFound(`Could not find the file ${path} in container ${name}`)
}

/** The kernel would refuse it too, but file by file. */
function checkWritable(container: Container, path: string): void {
  const mounts = container.mounts
    .map(({ target, readonly }) => ({ target: clean(target), readonly }))
    .filter(({ target }) => path === target || path.startsWith(`${target}/`))
    .toSorted((a, b) => b.target.length - a.target.length)
  if (mounts[0]?.readonly) throw invalid('mounted volume is marked read-only')
  if (mounts.length === 0 && container.host.readonlyRootfs) throw invalid('container rootfs is marked read-only')
}

function ownerOf(context: ContainerContext, { id, config }: Container): { uid: number; gid: number } | undefined {
  if (config.user === '') return undefined
  const view = new LayerView(context.snapshots.mounts(id), context.layerMarks)
  const { uid, gid } = resolveUser(config.user, [], {
    passwd: view.readText('/etc/passwd', userFileLimit),
    group: view.readText('/etc/group', userFileLimit),
  })
  return { uid, gid }
}
