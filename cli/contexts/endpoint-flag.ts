import { resolve } from 'node:path'
import { BerthError, invalid, messageOf } from '#base/errors.ts'
import { toAddress } from '../client/address.ts'
import { type Endpoint, readTlsFiles } from '../client/endpoint.ts'
import { checkTls } from '../client/tls.ts'
import { parseCsv, parseTruth } from '../options/csv.ts'
import { type Flag, parsed } from '../parsing/flag.ts'
import { engineEndpoint } from './context.ts'
import type { Contexts } from './current.ts'

export type EndpointKeys = ReadonlyMap<string, string>

export const endpointHelp = `How the engine is reached, as key=value,…:
host              unix://, tcp:// or ssh://
ca, cert, key     files of TLS
skip-tls-verify   does not look at its certificate
from              as another context has it`

export function endpointFlag(): Flag<EndpointKeys | undefined> {
  return parsed<EndpointKeys>('docker', endpointHelp, 'stringToString', (value, before) => {
    const pairs = parseCsv(value).map((field): [string, string] => {
      const equals = field.indexOf('=')
      if (equals < 0) throw invalid(`${field} must be formatted as key=value`)
      return [field.slice(0, equals), field.slice(equals + 1)]
    })
    return new Map([...(before ?? []), ...pairs])
  })
}

const known = ['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify']

/** @param directory that relative paths count from   @throws `invalid` in docker's words */
export function toContextEndpoint(keys: EndpointKeys, contexts: Contexts, directory: string): Endpoint {
  try {
    const unknown = [...keys.keys()].filter((key) => !known.includes(key))
    if (unknown.length > 0) throw invalid(unknown.map((key) => `unrecognized config key: ${key}`).join('\n'))
    const from = keys.get('from')
    return from === undefined ? checked(readEndpoint(keys, directory)) : copied(contexts, from)
  } catch (error) {
    if (!(error instanceof BerthError)) throw error
    throw new BerthError(error.kind, `unable to create docker endpoint config: ${error.message}`, { cause: error })
  }
}

function copied(contexts: Contexts, name: string): Endpoint {
  const endpoint = contexts.read(name).Endpoints[engineEndpoint]
  if (!endpoint) throw invalid(`unable to get endpoint from context ${JSON.stringify(name)}`)
  return { host: endpoint.Host ?? '', skipTlsVerify: endpoint.SkipTLSVerify === true, tls: undefined }
}

function readEndpoint(keys: EndpointKeys, directory: string): Endpoint {
  const path = (key: string): string => {
    const value = keys.get(key) ?? ''
    return value === '' ? '' : resolve(directory, value)
  }
  const tls = readTlsFiles({ ca: path('ca'), cert: path('cert'), key: path('key') })
  const skip = keys.get('skip-tls-verify')
  const wrong = `skip-tls-verify: parsing ${JSON.stringify(skip)}: invalid syntax`
  return { host: keys.get('host') ?? '', skipTlsVerify: skip !== undefined && parseTruth(skip, wrong), tls }
}

/** What could never be connected to is no context. */
function checked(endpoint: Endpoint): Endpoint {
  if (endpoint.host === '') return endpoint
  const failed = (doing: string, error: unknown) => invalid(`${doing}: ${messageOf(error)}`, { cause: error })
  try {
    const address = toAddress(endpoint)
    if (address.kind === 'tcp' && address.tls) checkTls(address.tls)
  } catch (error) {
    const isHost = /^(unable to parse docker host|protocol not available)/.test(messageOf(error))
    throw failed(isHost ? 'unable to apply docker endpoint options' : 'invalid docker endpoint options', error)
  }
  return endpoint
}
