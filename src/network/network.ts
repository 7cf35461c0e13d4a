/** A network as inspect and list show it. */
export interface NetworkView {
  readonly id: string
  readonly name: string
  readonly driver: string
  readonly scope: 'local'
  readonly createdAt: bigint
  readonly internal: boolean
  readonly attachable: boolean
  readonly ipv4: boolean
  readonly ipv6: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  readonly ipam: readonly { readonly subnet: string; readonly gateway: string }[]
  readonly endpoints: readonly {
    readonly containerId: string
    readonly endpointId: string
    readonly macAddress: string
    readonly ipv4Address: string
  }[]
}
