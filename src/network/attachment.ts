/** What is wanted of a container's attachment to one network, at each start of it, running or not. */
export interface Attachment {
  /** The network's name, or what it was called in the request as long as it was not there. */
  readonly network: string
  /** Undefined while it was not there. */
  readonly networkId: string | undefined
  readonly aliases: readonly string[]
  /** `container:alias`. */
  readonly links: readonly string[]
  /** The address that was asked for. */
  readonly ipv4Address: string | undefined
  readonly macAddress: string | undefined
  readonly driverOptions: Readonly<Record<string, string>> | undefined
  /** The network of the highest one has the default route. */
  readonly gatewayPriority: number
  /** As it came, for inspect. */
  readonly ipamConfig: Readonly<Record<string, unknown>> | undefined
  /** On a network without names: those that a rename gave it, which only inspect shows. */
  readonly dnsNames?: readonly string[]
}

/** One that asks for nothing but the network. */
export function plainAttachment(network: string, networkId?: string): Attachment {
  return {
    network,
    networkId,
    aliases: [],
    links: [],
    ipv4Address: undefined,
    macAddress: undefined,
    driverOptions: undefined,
    gatewayPriority: 0,
    ipamConfig: undefined,
  }
}

/** A container as its attachments need it. */
export interface Attached {
  readonly id: string
  readonly name: string
  readonly hostname: string
  /** HostConfig.NetworkMode. */
  readonly mode: string
}
