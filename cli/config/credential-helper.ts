import { spawn } from 'node:child_process'
import { messageOf, unavailable } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import type { ConfigFile, StoredAuth } from './config-file.ts'

/** What the X-Registry-Auth header holds before it is encoded. */
export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
  readonly serveraddress: string
}

export const dockerHub = 'https://index.docker.io/v1/'
const maxAnswer = 1024 * 1024
/** The user name that says: the secret is an identity token. */
const tokenUser = '<token>'

/** The stored credentials of a registry, or undefined when there are none.   @param domain as a reference has it: `docker.io` */
export async function findAuth(config: ConfigFile, domain: string): Promise<RegistryAuth | undefined> {
  const server = domain === 'docker.io' ? dockerHub : domain
  const helper = helperFor(config, server)
  if (helper) return await askHelper(helper, server)
  for (const [name, stored] of Object.entries(config.auths ?? {})) {
    if (hostOf(name) === hostOf(server)) return fromStored(stored, name)
  }
  return undefined
}

/** Who keeps a registry's credentials: '' (a registry may be excepted) and undefined mean config.json itself.   @param server as docker keeps it */
export function helperFor({ credHelpers, credsStore }: ConfigFile, server: string): string | undefined {
  const byDomain = server === dockerHub ? credHelpers?.['docker.io'] : undefined
  return credHelpers?.[server] ?? byDomain ?? credsStore
}

/** The header's value: JSON in URL-safe base64. */
export function encodeAuth(auth: RegistryAuth): string {
  return Buffer.from(JSON.stringify(auth)).toString('base64url')
}

function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}

function fromStored(stored: StoredAuth, server: string): RegistryAuth | undefined {
  const [, name = stored.username, password = stored.password] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(stored.auth ?? '', 'base64').toString()) ?? []
  const { identitytoken, registrytoken } = stored
  if (!name && !identitytoken && !registrytoken) return undefined
  return {
    ...(name && { username: name }),
    ...(password && { password: password.replace(/\0+$/, '') }),
    ...(identitytoken && { identitytoken }),
    ...(registrytoken && { registrytoken }),
    serveraddress: server,
  }
}

/** Asks `docker-credential-<helper> get`: the server goes in, JSON comes out.   @throws `unavailable` */
async function askHelper(helper: string, server: string): Promise<RegistryAuth | undefined> {
  const answer = await runHelper(helper, 'get', `${server}\n`)
  if (answer === undefined) return undefined
  let found: { Username?: string; Secret?: string }
  try {
    found = JSON.parse(answer) as typeof found
  } catch {
    // What JSON.parse says quotes the answer, which holds the secret.
    throw unavailable(`the credential helper ${programOf(helper)} did not answer with JSON`)
  }
  const { Username, Secret } = found
  if (!Username || !Secret) return undefined
  if (Username === tokenUser) return { identitytoken: Secret, serveraddress: server }
  return { username: Username, password: Secret, serveraddress: server }
}

/** @throws `unavailable` */
export async function storeInHelper(helper: string, auth: RegistryAuth): Promise<void> {
  const { username = '', password = '', identitytoken, serveraddress } = auth
  const entry = {
    ServerURL: serveraddress,
    Username: identitytoken === undefined ? username : tokenUser,
    Secret: identitytoken ?? password,
  }
  await runHelper(helper, 'store', JSON.stringify(entry))
}

/** @returns whether it knew them   @throws `unavailable` */
export async function forgetInHelper(helper: string, server: string): Promise<boolean> {
  if ((await askHelper(helper, server)) === undefined) return false
  return (await runHelper(helper, 'erase', server)) !== undefined
}

/** @returns what it printed; undefined when it has no such credentials */
async function runHelper(helper: string, verb: string, input: string): Promise<string | undefined> {
  const program = programOf(helper)
  const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'inherit'] })
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject).once('close', resolve)
  child.stdin.on('error', () => {}) // a helper that has not read its input still answers
  child.stdin.end(input)
  let text: string
  let status: number | null
  try {
    const [answer, code] = await Promise.all([readAll(child.stdout, maxAnswer, `the answer of ${program}`), ended])
    text = answer.toString().trim()
    status = code
  } catch (error) {
    throw unavailable(`cannot ask the credential helper ${program}: ${messageOf(error)}`, { cause: error })
  }
  if (status === 0) return text
  if (text.includes('credentials not found')) return undefined
  throw unavailable(`${program}: ${text}`)
}

function programOf(helper: string): string {
  return `docker-credential-${helper}`
}
