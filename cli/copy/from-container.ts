import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { invalid, systemCode } from '#base/errors.ts'
import type { Cli } from '../cli.ts'
import { openArchive, statInContainer } from './container-path.ts'
import { baseOf, endsInSlash, isDirectory, isSymlink, type PathStat, parentOf } from './copy-spec.ts'
import { unpackLocal } from './into-local.ts'

export interface FromContainer {
  readonly container: string
  readonly path: string
  /** On this machine, or `-` for a tar on standard output. */
  readonly to: string
  readonly followLink: boolean
}

export async function copyFromContainer(cli: Cli, request: FromContainer): Promise<void> {
  const { container, to } = request
  const path = request.followLink ? await follow(cli, request) : request.path
  if (to !== '-') await checkTarget(cli, to)
  const { stat: source, body } = await openArchive(cli.client, container, path)
  if (to === '-') {
    for await (const chunk of body) {
      await cli.stdout.write(chunk)
      if (cli.stdout.closed) return
    }
    return
  }
  await unpackLocal(body, { from: nameIn(path), ...(await placeFor(cli, { to, path, source })) })
}

/** The first words of the archive's names. */
function nameIn(path: string): string {
  return /(^|\/)\.$/.test(path) ? '.' : baseOf(path)
}

async function follow(cli: Cli, { container, path }: FromContainer): Promise<string> {
  const found = await statInContainer(cli.client, container, path)
  if (!isSymlink(found)) return path
  const { linkTarget } = found
  return linkTarget.startsWith('/') ? linkTarget : `${parentOf(path)}/${linkTarget}`
}

async function checkTarget(cli: Cli, to: string): Promise<void> {
  const parent = dirname(resolve(cli.directory, to))
  const there = await find(parent)
  if (!there?.isDirectory()) throw invalid(`invalid output path: directory "${parent}" does not exist`)
}

interface Placing {
  readonly to: string
  readonly path: string
  readonly source: PathStat
}

/** Into a directory that is there under its own name, else as what the target says. */
async function placeFor(cli: Cli, { to, path, source }: Placing): Promise<{ directory: string; name: string }> {
  const target = resolve(cli.directory, to)
  const there = await find(target)
  const own = nameIn(path)
  if (there?.isDirectory()) return { directory: target, name: own === '.' || own === '/' ? '' : own }
  if (there && isDirectory(source)) throw invalid('cannot copy directory')
  if ((there || !isDirectory(source)) && endsInSlash(to)) throw invalid(there ? 'not a directory' : 'no such directory')
  return { directory: dirname(target), name: baseOf(target) }
}

async function find(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
