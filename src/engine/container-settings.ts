import { isIP, isIPv4 } from 'node:net'
import { invalid } from '#base/errors.ts'
import { parseBytes } from '#base/quantity.ts'
import {
  type DefaultCgroupnsMode,
  type DefaultIpcMode,
  defaultCgroupnsModes,
  defaultIpcModes,
} from '#containers/create-defaults.ts'
import type { JsonReader } from '#oci/json.ts'

/** A number is refused, as by dockerd: "64m" is not to be mixed up with 64. */
export function readBytes(field: JsonReader): number {
  return parseBytes(field.string())
}

/** Negative: for ever. */
export function readSeconds(field: JsonReader): number {
  return parseSeconds(field.raw)
}

/** @throws `invalid` */
export function parseSeconds(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw invalid(`invalid shutdown timeout: ${String(value)}: it is a number of seconds`)
}

/** @throws `invalid` in dockerd's words */
export function parseIpcMode(text: string): DefaultIpcMode {
  const mode = defaultIpcModes.find((one) => one === text)
  if (mode) return mode
  const choice = 'use "shareable" or "private"'
  if (text !== 'host' && text !== 'none') throw invalid(`default IPC mode setting (${text}) is invalid; ${choice}`)
  throw invalid(`IPC mode "${text}" is not supported as default value; ${choice}`)
}

/** @throws `invalid` in dockerd's words */
export function parseCgroupnsMode(text: string): DefaultCgroupnsMode {
  const mode = defaultCgroupnsModes.find((one) => one === text)
  if (!mode) throw invalid(`invalid default cgroup namespace (${text}): use "host" or "private"`)
  return mode
}

/** @throws `invalid` in dockerd's words */
export function parseAddress(text: string): string {
  const address = text.trim()
  if (isIP(address) === 0) throw invalid(`invalid IP address: ${text}`)
  return address
}

/** @throws `invalid` */
export function parsePublishAddress(text: string): string {
  const address = parseAddress(text)
  if (!isIPv4(address))
    throw invalid(`ports cannot be published on ${address}: there is no IPv6 yet, name an IPv4 address`)
  return address
}

/** A lone dot asks for no search list at all.   @throws `invalid` in dockerd's words */
export function parseDomain(text: string): string {
  const name = text.trim()
  const label = '[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?'
  if (name !== '.' && !new RegExp(`^${label}(\\.${label})*\\.?$`).test(name))
    throw invalid(`${text} is not a valid domain`)
  return name
}

/** At most one of each family.   @throws `invalid` in dockerd's words */
export function parseGateways(list: readonly string[]): readonly string[] {
  const addresses = list.map(parseAddress)
  const [four, six] = [addresses.filter(isIPv4), addresses.filter((address) => !isIPv4(address))]
  for (const [family, of] of [
    ['IPv4', four],
    ['IPv6', six],
  ] as const) {
    if (of.length > 1) throw invalid(`only one ${family} host gateway IP address can be specified`)
  }
  return addresses
}
