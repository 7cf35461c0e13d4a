import { decodeAuthConfig } from '#contract/validate.gen.ts'
import type { RegistryAuth } from '#images/transfer/progress.ts'

/** Tokens of cloud registries reach several kilobytes. */
const headerLimit = 64 << 10

/**
 * The X-Registry-Auth header: base64url of JSON. A header that cannot be read counts as none, as with Docker:
 * `docker pull` sends one for every registry, and anonymous pulls must go on.
 */
export function parseRegistryAuth(header: string | string[] | undefined): RegistryAuth | undefined {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined || text === '' || text.length > headerLimit) return undefined
  const found = readConfig(text)
  if (!found) return undefined
  const auth = toRegistryAuth(found)
  return Object.keys(auth).some((key) => key !== 'serverAddress') ? auth : undefined
}

export function toRegistryAuth(found: ReturnType<typeof decodeAuthConfig>): RegistryAuth {
  const [username, password] = found.auth ? splitBasic(found.auth) : [found.username, found.password]
  return {
    ...(username && { username }),
    ...(password && { password }),
    ...(found.identitytoken && { identityToken: found.identitytoken }),
    ...(found.registrytoken && { registryToken: found.registrytoken }),
    ...(found.serveraddress && { serverAddress: found.serveraddress }),
  }
}

function readConfig(text: string): ReturnType<typeof decodeAuthConfig> | undefined {
  try {
    return decodeAuthConfig(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch {
    return undefined
  }
}

function splitBasic(auth: string): [string, string] {
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}
