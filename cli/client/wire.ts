import type { ContainerCreateRequest, HostConfigRequest, JsonMessage } from '#contract/types.gen.ts'

/** Shapes of the Engine API as this client builds them (the contract has what it reads); names are the wire's. */

export interface Mount {
  Type: string
  Source?: string
  Target: string
  ReadOnly?: boolean
  Consistency?: string
  BindOptions?: {
    Propagation?: string
    NonRecursive?: boolean
    ReadOnlyNonRecursive?: boolean
    ReadOnlyForceRecursive?: boolean
  }
  VolumeOptions?: {
    NoCopy?: boolean
    Labels?: Record<string, string>
    DriverConfig?: { Name?: string; Options?: Record<string, string> }
    Subpath?: string
  }
  TmpfsOptions?: { SizeBytes?: number; Mode?: number }
  ImageOptions?: { Subpath?: string }
}

export interface EndpointSettings {
  Aliases?: string[]
  Links?: string[]
  DriverOpts?: Record<string, string>
  IPAMConfig?: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] }
  MacAddress?: string
  GwPriority?: number
}

/** What POST /containers/create reads, with the fields that `run` decides by always there. */
export interface CreateBody extends ContainerCreateRequest {
  readonly Image: string
  readonly AttachStdin: boolean
  readonly AttachStdout: boolean
  readonly AttachStderr: boolean
  readonly OpenStdin: boolean
  readonly StdinOnce: boolean
  readonly Tty: boolean
  readonly HostConfig: HostConfigRequest
  readonly NetworkingConfig: { readonly EndpointsConfig: Readonly<Record<string, EndpointSettings>> }
}

export interface PortSummary {
  readonly IP?: string
  readonly PrivatePort: number
  readonly PublicPort?: number
  readonly Type: string
}

/** One line of the progress of pull, push, load and build. */
export interface ProgressMessage extends JsonMessage {
  readonly stream?: string
}
