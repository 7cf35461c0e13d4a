import type { Network } from '#contract/types.gen.ts'
import { shortId } from './human.ts'
import type { Columns } from './table.ts'

export const networkTable = ['ID', 'Name', 'Driver', 'Scope']

/** What `network ls` can show; headings and values are docker's. */
export function networkColumns({ truncate }: { truncate: boolean }): Columns<Network> {
  return {
    ID: { heading: 'NETWORK ID', value: ({ Id }) => (truncate ? shortId(Id) : Id) },
    Name: { heading: 'NAME', value: ({ Name }) => Name },
    Driver: { heading: 'DRIVER', value: ({ Driver }) => Driver },
    Scope: { heading: 'SCOPE', value: ({ Scope }) => Scope },
    IPv4: { heading: 'IPV4', value: ({ EnableIPv4 }) => String(EnableIPv4) },
    IPv6: { heading: 'IPV6', value: ({ EnableIPv6 }) => String(EnableIPv6) },
    Internal: { heading: 'INTERNAL', value: ({ Internal }) => String(Internal) },
    Labels: {
      heading: 'LABELS',
      value: ({ Labels }) =>
        Object.entries(Labels)
          .map(([name, value]) => `${name}=${value}`)
          .toSorted()
          .join(','),
    },
    Label: { heading: '', value: (network) => (name: string) => network.Labels[name] ?? '' },
    CreatedAt: { heading: 'CREATED AT', value: ({ Created }) => Created.replace('T', ' ').replace('Z', ' +0000 UTC') },
  }
}
