import { isDeepStrictEqual } from 'node:util'
import { invalid } from '#base/errors.ts'

/** Keys of dockerd with the one value that says what is always so here. */
const settled: Readonly<Record<string, unknown>> = {
  experimental: false,
  features: {},
  icc: true,
  'ip-forward': true,
  'ip-masq': true,
  iptables: true,
  ipv6: false,
  'live-restore': true,
  'storage-driver': 'overlay2',
}

/** Keys of dockerd 28 for what is not here. */
const missing: ReadonlySet<string> = new Set(
  `allow-direct-routing allow-nondistributable-artifacts api-cors-header authorization-plugins bip6 bridge builder
cgroup-parent cluster-advertise cluster-store cluster-store-opts containerd containerd-namespace
containerd-plugin-namespace cpu-rt-period cpu-rt-runtime default-cgroupns-mode default-gateway
default-gateway-v6 default-ipc-mode default-network-opts default-shm-size dns dns-opts dns-search fixed-cidr fixed-cidr-v6
host-gateway-ip host-gateway-ips init init-path ip ip-forward-no-drop ip6tables metrics-addr network-control-plane-mtu
node-generic-resources raw-logs resolv-conf rootless seccomp-profile shutdown-timeout storage-opts
swarm-default-advertise-addr swarm-raft-election-tick swarm-raft-heartbeat-tick userland-proxy userland-proxy-path`.split(
    /\s+/,
  ),
)

/**
 * Takes keys of dockerd out that say what is so anyway: a file written for dockerd can be used as it is.
 * @throws `invalid` naming keys of dockerd that would have no effect, and values that cannot be had
 */
export function withoutSettledKeys(file: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const refused = Object.keys(file).filter((key) => missing.has(key))
  if (refused.length > 0) {
    throw invalid(`the following directives of dockerd are not supported yet: ${refused.join(', ')}; remove them`)
  }
  for (const [key, value] of Object.entries(settled)) {
    if (!Object.hasOwn(file, key) || isDeepStrictEqual(file[key], value)) continue
    throw invalid(`${key}: ${JSON.stringify(file[key])} is not supported: it is always ${JSON.stringify(value)}`)
  }
  return Object.fromEntries(Object.entries(file).filter(([key]) => !Object.hasOwn(settled, key)))
}
