import type { Stats } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { invalid, isKind, systemCode } from '#base/errors.ts'
import type { Cli } from '../cli.ts'
import { containerPath } from '../client/containers.ts'
import { statInContainer } from './container-path.ts'
import { baseOf, endsInSlash, isDirectory, isSymlink, type PathStat, parentOf } from './copy-spec.ts'
import { packLocal } from './from-local.ts'

export interface ToContainer {
  /** On this machine, or `-` for a tar on standard input. */
  readonly from: string
  readonly container: string
  readonly path: string
  readonly followLink: boolean
  /** The files are to belong to the user of the container. */
  readonly archive: boolean
}

export async function copyToContainer(cli: Cli, request: ToContainer): Promise<void> {
  const { container, from } = request
  const { path, stat } = await targetOf(cli, request)
  if (from === '-') {
    if (!stat || !isDirectory(stat)) throw invalid(`destination "${container}:${request.path}" must be a directory`)
    try {
      return await put(cli, request, { path, archive: cli.stdin.open() })
    } finally {
      cli.stdin.release()
    }
  }
  const source = await sourceOf(cli, request)
  const place = placeFor({ path, stat, source })
  await put(cli, request, { path: place.directory, archive: packLocal(source.path, place.name) })
}

/** A symlink stands for what it leads to. */
async function targetOf(cli: Cli, { container, path }: ToContainer): Promise<{ path: string; stat?: PathStat }> {
  try {
    const found = await statInContainer(cli.client, container, path)
    if (!isSymlink(found)) return { path, stat: found }
    const { linkTarget } = found
    return { path: linkTarget, stat: await statInContainer(cli.client, container, linkTarget) }
  } catch (error) {
    // That the container is not there is told by the upload.
    if (isKind(error, 'not-found')) return { path }
    throw error
  }
}

interface Source {
  readonly path: string
  readonly name: string
  readonly isDirectory: boolean
}

async function sourceOf(cli: Cli, { from, followLink }: ToContainer): Promise<Source> {
  const asked = resolve(cli.directory, from)
  const path = followLink || endsInSlash(from) ? await realpath(asked).catch(() => asked) : asked
  const found = await look(path)
  const contentOnly = /(^|\/)\.$/.test(from)
  return { path, name: contentOnly ? '.' : baseOf(asked), isDirectory: found.isDirectory() }
}

async function look(path: string): Promise<Stats> {
  try {
    return await lstat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw invalid(`lstat ${path}: no such file or directory`, { cause: error })
    throw error
  }
}

interface Placing {
  readonly path: string
  readonly stat?: PathStat | undefined
  readonly source: Source
}

/** Into a directory that is there under its own name, else as what the target says. */
function placeFor({ path, stat, source }: Placing): { directory: string; name: string } {
  if (stat && isDirectory(stat)) return { directory: path, name: source.name }
  if (stat && source.isDirectory) throw invalid('cannot copy directory')
  if (!source.isDirectory && (path === '' || endsInSlash(path)))
    throw invalid(stat ? 'not a directory' : 'no such directory')
  return { directory: parentOf(path), name: baseOf(path) }
}

async function put(
  cli: Cli,
  { container, archive: asUser }: ToContainer,
  { path, archive }: { readonly path: string; readonly archive: AsyncIterable<Uint8Array> },
): Promise<void> {
  const { body } = await cli.client.upload(containerPath(container, '/archive'), archive, {
    method: 'PUT',
    query: { path, noOverwriteDirNonDir: 'true', copyUIDGID: asUser ? 'true' : undefined },
    headers: { 'Content-Type': 'application/x-tar' },
  })
  for await (const _ of body);
}
