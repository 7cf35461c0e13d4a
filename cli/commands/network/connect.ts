import type { NetworkConnectRequest } from '#contract/types.gen.ts'
import { networkPath } from '../../client/networks.ts'
import { command } from '../../command.ts'
import { toMap } from '../../options/key-value.ts'
import { integer, list, text } from '../../parsing/flag.ts'

export const connectCommand = command({
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  flags: {
    alias: list('alias', 'A further name of the container there', { word: 'strings' }),
    driverOption: list('driver-opt', 'An option of the network’s driver, as name=value', { word: 'strings' }),
    gatewayPriority: integer('gw-priority', 'The network of the highest has the default route'),
    ip: text('ip', 'Its IPv4 address'),
    ip6: text('ip6', 'Its IPv6 address'),
    link: list('link', 'Another container and its name for this one'),
    linkLocal: list('link-local-ip', 'A link-local address', { word: 'strings' }),
  },
  least: 2,
  most: 2,
  async run(cli, { flags, args: [network = '', container = ''] }) {
    const ipam = {
      ...(flags.ip !== '' && { IPv4Address: flags.ip }),
      ...(flags.ip6 !== '' && { IPv6Address: flags.ip6 }),
      ...(flags.linkLocal.length > 0 && { LinkLocalIPs: flags.linkLocal }),
    }
    const body: NetworkConnectRequest = {
      Container: container,
      EndpointConfig: {
        ...(Object.keys(ipam).length > 0 && { IPAMConfig: ipam }),
        Links: flags.link,
        Aliases: flags.alias,
        ...(flags.driverOption.length > 0 && { DriverOpts: toMap(flags.driverOption) }),
        ...(flags.gatewayPriority !== undefined && { GwPriority: flags.gatewayPriority }),
      },
    }
    await cli.client.send('POST', networkPath(network, '/connect'), { body })
    return 0
  },
})
