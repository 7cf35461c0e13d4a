import { invalid } from '#base/errors.ts'
import type { EndpointSettingsRequest, NetworkingConfigRequest } from '#contract/types.gen.ts'
import type { Attachment } from '#network/attachment.ts'

/** Endpoints named at create. */
export function parseNetworkingConfig(config: NetworkingConfigRequest | undefined): Attachment[] {
  return Object.entries(config?.EndpointsConfig ?? {}).map(([name, endpoint]) => parseEndpoint(name, endpoint))
}

/** What is wanted of one endpoint; what the network can give of it, the engine checks. */
export function parseEndpoint(network: string, endpoint: EndpointSettingsRequest): Attachment {
  const { IPAMConfig } = endpoint
  return {
    network,
    networkId: undefined,
    aliases: endpoint.Aliases ?? [],
    links: endpoint.Links ?? [],
    ipv4Address: IPAMConfig?.IPv4Address || undefined,
    macAddress: endpoint.MacAddress || undefined,
    driverOptions: endpoint.DriverOpts,
    gatewayPriority: endpoint.GwPriority ?? 0,
    ipamConfig: IPAMConfig && { ...IPAMConfig },
  }
}

/** `MacAddress` of the container itself, as old clients send it, is that of its NetworkMode's endpoint.   @throws `invalid` in Docker's words */
export function withMacAddress(
  attachments: Attachment[],
  networkMode: string,
  macAddress: string | undefined,
): Attachment[] {
  if (!macAddress) return attachments
  const own = attachments.find(({ network }) => network === networkMode) ?? parseEndpoint(networkMode, {})
  if (own.macAddress !== undefined && own.macAddress !== macAddress) {
    throw invalid(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    )
  }
  return [{ ...own, macAddress }, ...attachments.filter(({ network }) => network !== networkMode)]
}
