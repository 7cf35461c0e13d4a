import { changeConfig } from './change-config.ts'
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

async function change(directory: string, edit: (auths: Auths) => Auths): Promise<string> {
  return await changeConfig(directory, (config) => {
    const auths = typeof config.auths === 'object' && config.auths !== null ? (config.auths as Auths) : {}
    return { ...config, auths: edit(auths) }
  })
}
