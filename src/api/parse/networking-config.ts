import { invalid, notImplemented } from '#base/errors.ts'
import type { NetworkingConfigRequest } from '#contract/types.gen.ts'

/**
 * Endpoints named at create. The default networks take no wishes, and others are not there yet, so a request may name
 * only the network of its NetworkMode, with nothing asked for.   @throws `invalid` in Docker's words, `not-implemented`
 */
export function checkNetworkingConfig(config: NetworkingConfigRequest | undefined, networkMode: string): void {
  for (const [name, endpoint] of Object.entries(config?.EndpointsConfig ?? {})) {
    const own = name === networkMode || (name === 'default' && networkMode === 'bridge')
    if (!own)
      throw notImplemented(`endpoint settings for network ${name}: only the container's own network can be joined yet`)
    const { IPAMConfig: addresses, Aliases, Links, MacAddress } = endpoint
    if (addresses?.IPv4Address || addresses?.IPv6Address) {
      throw invalid('invalid endpoint settings:\nuser specified IP address is supported on user defined networks only')
    }
    if (Aliases && Aliases.length > 0) {
      throw invalid('network-scoped aliases are only supported for user-defined networks')
    }
    if (Links && Links.length > 0) throw notImplemented('links are not supported yet; use a hosts entry (ExtraHosts)')
    if (MacAddress) throw notImplemented('MacAddress is not supported yet; leave it out to get a generated one')
  }
}
