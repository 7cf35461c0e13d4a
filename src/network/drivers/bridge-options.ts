import { invalid, messageOf, notImplemented } from '#base/errors.ts'
import { parseGoBoolean } from '#base/go-boolean.ts'

const bridge = 'com.docker.network.bridge'
const everywhere: readonly (string | undefined)[] = [undefined, '', '0.0.0.0']

/** What a bridge network can be told by its options. */
export interface BridgeSettings {
  /** Of the link on the host; undefined: made of the network's id. */
  readonly name: string | undefined
  readonly masquerade: boolean
  /** Where ports are published that name no address; undefined: everywhere. */
  readonly hostAddress: string | undefined
  readonly mtu: number | undefined
  /** What the names of links inside begin with. */
  readonly linkPrefix: string
}

/** Options that others ignore are ignored.   @throws `invalid` in Docker's words, `not-implemented` by the option's name */
export function parseBridgeOptions(options: Readonly<Record<string, string>>): BridgeSettings {
  const truth = (key: string, fallback: boolean): boolean => {
    const text = options[key]
    return text === undefined ? fallback : parseBool(key, text)
  }
  if (!truth(`${bridge}.enable_icc`, true)) refuse(`${bridge}.enable_icc=false`)
  if (truth(`${bridge}.inhibit_ipv4`, false)) refuse(`${bridge}.inhibit_ipv4`)
  for (const family of ['ipv4', 'ipv6']) {
    const mode = options[`${bridge}.gateway_mode_${family}`] || 'nat'
    if (mode !== 'nat') refuse(`${bridge}.gateway_mode_${family}=${mode}`)
  }
  if (options[`${bridge}.trusted_host_interfaces`]) refuse(`${bridge}.trusted_host_interfaces`)
  const name = options[`${bridge}.name`] || undefined
  if (name !== undefined && !/^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$/.test(name)) {
    throw invalid(`'${name}' cannot be the name of a bridge: take up to 15 letters, digits, '_', '.' and '-'`)
  }
  return {
    name,
    masquerade: truth(`${bridge}.enable_ip_masquerade`, true),
    hostAddress: everywhere.includes(options[`${bridge}.host_binding_ipv4`])
      ? undefined
      : options[`${bridge}.host_binding_ipv4`],
    mtu: parseMtu(options['com.docker.network.driver.mtu']),
    linkPrefix: parsePrefix(options['com.docker.network.container_iface_prefix']),
  }
}

function parseMtu(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const mtu = Number(text)
  if (!/^\d+$/.test(text) || (mtu !== 0 && mtu < 68) || mtu > 65_535) {
    throw invalid(`failed to parse com.docker.network.driver.mtu value: ${text} (it must be a number from 68 to 65535)`)
  }
  return mtu === 0 ? undefined : mtu
}

function parsePrefix(text: string | undefined): string {
  if (text === undefined || text === '') return 'eth'
  if (!/^[a-zA-Z][a-zA-Z0-9_-]{0,11}$/.test(text)) {
    throw invalid(`'${text}' cannot begin the names of links: take up to 12 letters, digits, '_' and '-'`)
  }
  return text
}

function parseBool(key: string, text: string): boolean {
  try {
    return parseGoBoolean(text)
  } catch (cause) {
    throw invalid(`failed to parse ${key} value: ${text} (${messageOf(cause)})`, { cause })
  }
}

function refuse(option: string): never {
  throw notImplemented(`the network option ${option} is not supported yet; make the network without it`)
}
