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

const dockerHub = 'https://index.docker.io/v1/'
const maxAnswer = 1024 * 1024

/** The stored credentials of a registry, or undefined when there are none.   @param domain as a reference has it: `docker.io` */
export async function findAuth(config: ConfigFile, domain: string): Promise<RegistryAuth | undefined> {
  const server = domain === 'docker.io' ? dockerHub : domain
  const helper = config.credHelpers?.[server] ?? config.credHelpers?.[domain] ?? config.credsStore
  if (helper !== undefined && helper !== '') return await askHelper(helper, server)
  for (const [name, stored] of Object.entries(config.auths ?? {})) {
    if (hostOf(name) === hostOf(server)) return fromStored(stored, name)
  }
  return undefined
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

/** Runs `docker-credential-<helper> get`: the server goes in, JSON comes out.   @throws `unavailable` */
async function askHelper(helper: string, server: string): Promise<RegistryAuth | undefined> {
  const program = `docker-credential-${helper}`
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject).once('close', resolve)
  child.stdin.on('error', () => {}) // a helper that has not read its input still answers
  child.stdin.end(`${server}\n`)
  try {
    const [answer, status] = await Promise.all([readAll(child.stdout, maxAnswer, `the answer of ${program}`), ended])
    const text = answer.toString().trim()
    if (status !== 0) {
      if (text.includes('credentials not found')) return undefined
      throw unavailable(`${program}: ${text}`)
    }
    const { Username, Secret } = JSON.parse(text) as { Username?: string; Secret?: string }
    if (!Username || !Secret) return undefined
    if (Username === '<token>') return { identitytoken: Secret, serveraddress: server }
    return { username: Username, password: Secret, serveraddress: server }
  } catch (error) {
    if (error instanceof Error && error.name === 'BerthError') throw error
    throw unavailable(`cannot ask the credential helper ${program}: ${messageOf(error)}`, { cause: error })
  }
}
