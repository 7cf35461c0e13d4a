import type { NetworkCreateRequest, NetworkCreateResponse } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { toIpamConfig } from '../../options/ipam.ts'
import { checkLabel, toMap } from '../../options/key-value.ts'
import { list, text, toggle } from '../../parsing/flag.ts'

export const createCommand = command({
  usage: '[OPTIONS] NETWORK',
  summary: 'Make a network',
  flags: {
    attachable: toggle('attachable', 'Containers may be connected by hand'),
    auxAddress: list('aux-address', 'An address that is somebody else’s, as name=address', { word: 'map' }),
    configFrom: text('config-from', 'Take the settings of another network'),
    configOnly: toggle('config-only', 'Only settings, for other networks to take'),
    driver: text('driver', 'What makes it', { short: 'd', initial: 'bridge' }),
    gateway: list('gateway', 'Address of the gateway', { word: 'strings' }),
    ingress: toggle('ingress', 'The routing mesh of a swarm'),
    internal: toggle('internal', 'Without a way out'),
    ipRange: list('ip-range', 'Part of the subnet that containers get addresses of', { word: 'strings' }),
    ipamDriver: text('ipam-driver', 'What allocates addresses', { initial: 'default' }),
    ipamOption: list('ipam-opt', 'An option of that driver, as name=value', { word: 'map' }),
    ipv4: toggle('ipv4', 'With IPv4 addresses', { initial: true }),
    ipv6: toggle('ipv6', 'With IPv6 addresses'),
    label: list('label', 'A label, as name=value', { check: checkLabel }),
    option: list('opt', 'An option of the driver, as name=value', { short: 'o', word: 'map' }),
    scope: text('scope', 'Where it reaches'),
    subnet: list('subnet', 'Addresses of the network, as 10.1.0.0/24', { word: 'strings' }),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, given, args: [name = ''] }) {
    const body: NetworkCreateRequest = {
      Name: name,
      Driver: flags.driver,
      Scope: flags.scope,
      ...(given.has('ipv4') && { EnableIPv4: flags.ipv4 }),
      ...(given.has('ipv6') && { EnableIPv6: flags.ipv6 }),
      IPAM: {
        Driver: flags.ipamDriver,
        Options: toMap(flags.ipamOption),
        Config: toIpamConfig({
          subnets: separated(flags.subnet),
          ranges: separated(flags.ipRange),
          gateways: separated(flags.gateway),
          auxAddresses: toMap(flags.auxAddress),
        }),
      },
      Internal: flags.internal,
      Attachable: flags.attachable,
      Ingress: flags.ingress,
      ConfigOnly: flags.configOnly,
      ...(flags.configFrom !== '' && { ConfigFrom: { Network: flags.configFrom } }),
      Options: toMap(flags.option),
      Labels: toMap(flags.label),
    }
    const { Id } = await cli.client.json<NetworkCreateResponse>('POST', '/networks/create', { body })
    await cli.stdout.write(`${Id}\n`)
    return 0
  },
})

/** Several may stand in one word, with commas. */
function separated(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(',')).filter((word) => word !== '')
}
