import { isDeepStrictEqual } from 'node:util'
import { invalid } from '#base/errors.ts'

/** Keys of dockerd with the one value that says what is always so here. */
const settled: Readonly<Record<string, unknown>> = {
  'allow-direct-routing': false,
  experimental: false,
  icc: true,
  'ip-forward': true,
  'ip-masq': true,
  iptables: true,
  ipv6: false,
  'live-restore': true,
  'storage-driver': 'overlay2',
}

/** Yes and no come to the same: there is no IPv6 to filter, no proxy in a process of its own, and no colour in the log. */
const eitherWay: readonly string[] = ['ip6tables', 'raw-logs', 'userland-proxy']

/** Of which builder clients are to think first, only they know. */
const features: Readonly<Record<string, boolean | 'either'>> = {
  buildkit: 'either',
  cdi: true,
  'containerd-snapshotter': false,
}

/** Keys of dockerd 28 for what is not here. */
const missing: ReadonlySet<string> = new Set(
  `allow-nondistributable-artifacts api-cors-header authorization-plugins bip6 bridge builder
cluster-advertise cluster-store cluster-store-opts containerd containerd-namespace
containerd-plugin-namespace containerd-plugins-namespace cpu-rt-period cpu-rt-runtime default-gateway
default-gateway-v6 default-network-opts fixed-cidr fixed-cidr-v6 ip-forward-no-drop metrics-addr network-control-plane-mtu
node-generic-resources resolv-conf rootless
swarm-default-advertise-addr swarm-raft-election-tick swarm-raft-heartbeat-tick userland-proxy-path`.split(/\s+/),
)

/**
 * Takes keys of dockerd out that say what is so anyway: a file written for dockerd can be used as it is.
 * @throws `invalid` naming keys of dockerd that would have no effect, and values that cannot be had
 */
export function withoutSettledKeys(file: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const refused = Object.keys(file).filter((key) => missing.has(key) && !saysNothing(file[key]))
  if (refused.length > 0) {
    throw invalid(`the following directives of dockerd are not supported yet: ${refused.join(', ')}; remove them`)
  }
  checkFeatures(file.features)
  for (const key of eitherWay) {
    if (Object.hasOwn(file, key) && typeof file[key] !== 'boolean') throw invalid(`${key} is not true or false`)
  }
  for (const [key, value] of Object.entries(settled)) {
    if (!Object.hasOwn(file, key) || saysNothing(file[key]) || isDeepStrictEqual(file[key], value)) continue
    throw invalid(`${key}: ${JSON.stringify(file[key])} is not supported: it is always ${JSON.stringify(value)}`)
  }
  const taken = new Set([...Object.keys(settled), ...eitherWay, ...missing, 'features'])
  return Object.fromEntries(Object.entries(file).filter(([key, value]) => !taken.has(key) && value !== ''))
}

/** As in the whole file that dockerd's manual shows, where most keys are there and empty. */
function saysNothing(value: unknown): boolean {
  return value === '' || isDeepStrictEqual(value, []) || isDeepStrictEqual(value, {})
}

/** @throws `invalid` for a feature that cannot be had, or not be left */
function checkFeatures(asked: unknown): void {
  if (asked === undefined) return
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) throw invalid('features is not an object')
  for (const [name, value] of Object.entries(asked)) {
    if (typeof value !== 'boolean') throw invalid(`features.${name} is not true or false`)
    const only = Object.hasOwn(features, name) ? features[name] : undefined
    if (only === undefined) throw invalid(`features.${name} is not known: remove it`)
    if (only !== 'either' && value !== only) {
      throw invalid(`features.${name}: ${value} is not supported: it is always ${only}`)
    }
  }
}
