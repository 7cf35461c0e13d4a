import { mkdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { invalid, messageOf, systemCode } from '#base/errors.ts'
import type { ConfigFile } from './config-file.ts'
import { dockerHub, forgetInHelper, helperFor, type RegistryAuth, storeInHelper } from './credential-helper.ts'

/** The name under which docker keeps credentials of a registry: `registry.lan:5000`, and docker.io's old address. */
export function serverOf(name: string): string {
  const host = name.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return ['', 'docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host) ? dockerHub : host
}

/** Keeps credentials in the helper of the registry, or else in config.json.   @returns the file's path when they now stand there readable */
export async function storeCredentials(
  directory: string,
  config: ConfigFile,
  auth: RegistryAuth,
): Promise<string | undefined> {
  const helper = helperFor(config, auth.serveraddress)
  if (helper) {
    await storeInHelper(helper, auth)
    return undefined
  }
  const { username = '', password = '', identitytoken, serveraddress } = auth
  const entry = {
    auth: Buffer.from(`${username}:${identitytoken === undefined ? password : ''}`).toString('base64'),
    ...(identitytoken !== undefined && { identitytoken }),
  }
  return await change(directory, (auths) => ({ ...auths, [serveraddress]: entry }))
}

/** @returns whether there was anything to forget */
export async function forgetCredentials(directory: string, config: ConfigFile, server: string): Promise<boolean> {
  const names = Object.keys(config.auths ?? {}).filter((name) => serverOf(name) === server)
  const helper = helperFor(config, server)
  const forgotten = helper ? await forgetInHelper(helper, server) : false
  if (names.length === 0) return forgotten
  await change(directory, (auths) =>
    Object.fromEntries(Object.entries(auths).filter(([name]) => !names.includes(name))),
  )
  return true
}

type Auths = Readonly<Record<string, unknown>>

/** Everything else in the file belongs to other programs and stays; a link in its place stays one. */
async function change(directory: string, edit: (auths: Auths) => Auths): Promise<string> {
  const path = join(directory, 'config.json')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const target = await realpath(path).catch(() => path)
  const before = await read(target)
  const auths = typeof before.auths === 'object' && before.auths !== null ? (before.auths as Auths) : {}
  const after = { ...before, auths: edit(auths) }
  await mkdir(dirname(target), { recursive: true })
  await writeFileAtomic(target, `${JSON.stringify(after, undefined, '\t')}\n`)
  return path
}

async function read(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {}
    throw invalid(
      `cannot change ${path}: ${error instanceof SyntaxError ? 'it is not a JSON object' : messageOf(error)}`,
    )
  }
}
