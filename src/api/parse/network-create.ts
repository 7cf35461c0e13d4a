import type { NetworkCreateRequest } from '#contract/types.gen.ts'
import type { NetworkRequest } from '#network/create-network.ts'

/** The body of `POST /networks/create`, with Docker's defaults; what it means together, the engine checks. */
export function parseNetworkCreate(body: NetworkCreateRequest): NetworkRequest {
  return {
    name: body.Name ?? '',
    driver: body.Driver || 'bridge',
    scope: body.Scope ?? '',
    labels: body.Labels ?? {},
    options: body.Options ?? {},
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    ingress: body.Ingress ?? false,
    ipv4: body.EnableIPv4 ?? true,
    ipv6: body.EnableIPv6 ?? false,
    configOnly: body.ConfigOnly ?? false,
    configFrom: body.ConfigFrom?.Network ?? '',
    ipamDriver: body.IPAM?.Driver ?? '',
    ipamOptions: body.IPAM?.Options,
    subnets: (body.IPAM?.Config ?? []).map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }) => ({
      subnet: Subnet ?? '',
      range: IPRange || undefined,
      gateway: Gateway || undefined,
      reserved: AuxiliaryAddresses,
    })),
  }
}
