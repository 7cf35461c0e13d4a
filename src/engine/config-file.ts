import { readFileSync } from 'node:fs'
import { invalid, messageOf, systemCode } from '#base/errors.ts'
import { JsonReader } from '#oci/json.ts'
import type { Settings } from './config.ts'
import { directives } from './directives.ts'
import { withoutSettledKeys } from './dockerd-keys.ts'

const fileSizeLimit = 1 << 20

/** Reads daemon.json. A missing file is an empty one, unless `required`.   @throws `invalid` naming the file and the key */
export function readConfigFile(path: string, { required }: { required: boolean }): Settings {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' && !required) return {}
    throw invalid(`unable to configure the daemon with file ${path}: ${messageOf(cause)}`, { cause })
  }
  if (content.length > fileSizeLimit)
    throw invalid(`the configuration file ${path} is larger than ${fileSizeLimit} bytes`)
  try {
    return parseConfigFile(content, path)
  } catch (cause) {
    throw invalid(`unable to configure the daemon with file ${path}: ${messageOf(cause)}`, { cause })
  }
}

export function parseConfigFile(content: string, path: string): Settings {
  if (content.trim() === '') return {}
  const file = JsonReader.parse(content, path)
  const reader = flatten(new JsonReader(withoutSettledKeys(file.object()), path), path)
  const keys = Object.keys(reader.object())
  const unknown = keys.filter((key) => !Object.hasOwn(directives, key))
  if (unknown.length > 0) {
    throw invalid(`the following directives don't match any configuration option: ${unknown.join(', ')}`)
  }
  return Object.fromEntries(
    keys.flatMap((key) => {
      const directive = directives[key]
      return directive ? [[directive.setting, directive.read(reader.field(key))]] : []
    }),
  )
}

/** The keys below `proxies` stand for themselves, as their flags do; an older name stands for today's. */
function flatten(reader: JsonReader, path: string): JsonReader {
  return flattenProxies(new JsonReader(withTodaysNames(reader.object()), path), path)
}

function withTodaysNames(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { 'host-gateway-ip': gateway, ...rest } = file
  if (gateway === undefined) return file
  if (Object.hasOwn(file, 'host-gateway-ips')) {
    throw invalid('host-gateway-ip and host-gateway-ips must not both be specified in the config file')
  }
  return { ...rest, 'host-gateway-ips': [gateway] }
}

function flattenProxies(reader: JsonReader, path: string): JsonReader {
  const proxies = reader.field('proxies').optional((field) => field.stringMap())
  if (proxies === undefined) return reader
  const unknown = Object.keys(proxies).filter((key) => !['http-proxy', 'https-proxy', 'no-proxy'].includes(key))
  if (unknown.length > 0) {
    throw invalid(`the following directives don't match any configuration option: ${unknown.join(', ')}`)
  }
  const { proxies: _, ...rest } = reader.object()
  return new JsonReader({ ...rest, ...proxies }, path)
}
