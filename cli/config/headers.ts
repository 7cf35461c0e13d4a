import { invalid } from '#base/errors.ts'
import { parseCsv } from '../options/csv.ts'
import type { ConfigFile } from './config-file.ts'

/** Headers that name the client or frame the message are not the user's to set. */
const ours = /^(host|user-agent|connection|upgrade|content-length|content-type|transfer-encoding)$/i

const token = /^[\w!#$%&'*+.^`|~-]+$/

/**
 * What is sent with every request: `HttpHeaders` of the configuration, or in their place DOCKER_CUSTOM_HEADERS (`name=value,…`).
 * @throws `invalid` in docker's words
 */
export function headersOf({ HttpHeaders = {} }: ConfigFile, variable = ''): Record<string, string> {
  const entries = variable === '' ? Object.entries(HttpHeaders) : parseVariable(variable)
  return Object.fromEntries(
    entries.filter(([name]) => token.test(name) && !ours.test(name)).map(([name, value]) => [name, String(value)]),
  )
}

function parseVariable(text: string): [string, string][] {
  let fields: string[]
  try {
    fields = parseCsv(text)
  } catch (error) {
    throw invalid(
      `failed to parse custom headers from DOCKER_CUSTOM_HEADERS environment variable: value must be formatted as comma-separated key=value pairs`,
      { cause: error },
    )
  }
  return fields.map((field) => {
    const equals = field.indexOf('=')
    const name = (equals < 0 ? field : field.slice(0, equals)).trim()
    const wrong = (why: string) =>
      invalid(`failed to set custom headers from DOCKER_CUSTOM_HEADERS environment variable: ${why}: '${field}'`)
    if (name === '') throw wrong('value contains a key=value pair with an empty key')
    if (equals < 0) throw wrong('missing "=" in key=value pair')
    if (!token.test(name)) throw wrong('a name that no header can have')
    return [name, field.slice(equals + 1)]
  })
}
