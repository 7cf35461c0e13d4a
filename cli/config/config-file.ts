import { readFileSync } from 'node:fs'
import { invalid, messageOf, systemCode } from '#base/errors.ts'

/** What we read of Docker's client configuration; unknown keys belong to other programs. */
export interface ConfigFile {
  readonly auths?: Readonly<Record<string, StoredAuth>>
  readonly credsStore?: string
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly currentContext?: string
  /** Where plugins stand, before the usual places. */
  readonly cliPluginsExtraDirs?: readonly string[]
  /** Sent with every request to the engine. */
  readonly HttpHeaders?: Readonly<Record<string, string>>
  readonly detachKeys?: string
  readonly psFormat?: string
  readonly statsFormat?: string
  readonly imagesFormat?: string
  readonly networksFormat?: string
  readonly volumesFormat?: string
  /** By engine, or `default`: what containers get as HTTP_PROXY and so on. */
  readonly proxies?: Readonly<Record<string, Proxies>>
}

export interface Proxies {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  readonly noProxy?: string
  readonly ftpProxy?: string
  readonly allProxy?: string
}

export interface StoredAuth {
  /** base64 of `name:password` */
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

/** Reads `config.json` of the directory; a missing file is an empty configuration.   @throws `invalid` naming the file */
export function readConfigFile(directory: string): ConfigFile {
  const path = `${directory}/config.json`
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new SyntaxError('not an object')
    return parsed as ConfigFile
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return {}
    // What JSON.parse says quotes the file, which holds credentials.
    const detail = error instanceof SyntaxError ? {} : { cause: error }
    const reason = error instanceof SyntaxError ? 'it is not a JSON object' : messageOf(error)
    throw invalid(`cannot read the client configuration ${path}: ${reason}`, detail)
  }
}
