import type { Difference } from './difference.ts'
import type { Json } from './exchange.ts'

/** A difference that is meant. Each must still be met, or the row goes. */
export interface Explained {
  /** Matches `Difference.at`. */
  readonly path: RegExp
  /** What is found there, or what it matches as JSON. `undefined`: it is not there. */
  readonly ours: Json | RegExp | undefined
  readonly theirs: Json | RegExp | undefined
  readonly reason: string
}

export const explained: readonly Explained[] = [
  {
    path: / status$/,
    ours: /^4\d\d$/,
    theirs: 500,
    reason:
      'a value that cannot be, or a state that stands in the way, is the asker’s to mend: 500 is for failures of the engine',
  },
  {
    path: / answer\.(message|error|errorDetail\.message)$/,
    ours: /^"(the archive |invalid pool request: .* \(10\.77\.0\.0\/24 of network own\)")/,
    theirs: /^"(unexpected EOF|open .*\/repositories: no such file or directory|invalid pool request: [^(]*)"$/,
    reason: 'an error names what it is about',
  },
  {
    path: / answer\.(message|State\.Error)$/,
    ours: /: error during container init: exec: /,
    theirs: /: unable to start container process: exec: /,
    reason: 'the words of runc 1.3, which goes with Docker’s own packages; Debian’s dockerd runs with runc 1.1',
  },
  {
    path: /^POST \/images\/.*\/push.* answer\.\d+\.(status|aux\.Size)$/,
    ours: /size: \d+"$|^\d+$/,
    theirs: /size: \d+"$|^\d+$/,
    reason: 'an image is pushed with the manifest that it was pulled with; dockerd writes another',
  },
  {
    path: /^GET \/images\/committed:v1\/get answer\.archive$/,
    ours: /^\["blobs\/"/,
    theirs: /^\["blobs\/"/,
    reason: 'without the configs of single layers that only Docker before 1.10 reads',
  },
  {
    path: /^GET \/info answer\.FirewallBackend\.Driver$/,
    ours: 'nftables',
    theirs: 'iptables',
    reason: 'the rules of networks are written to nftables',
  },
  {
    path: / \/_ping headers\.builder-version$/,
    ours: '1',
    theirs: '2',
    reason: 'BuildKit is not served yet',
  },
  {
    path: /^GET \/info answer\.Plugins\.Log$/,
    ours: ['fluentd', 'gelf', 'journald', 'json-file', 'local', 'none', 'syslog'],
    theirs: ['awslogs', 'fluentd', 'gelf', 'journald', 'json-file', 'local', 'splunk', 'syslog'],
    reason: 'there are no drivers for the log services of single vendors; `none` is one that can be asked for',
  },
  {
    path: /^GET \/info answer\.Plugins\.Network$/,
    ours: ['bridge', 'host', 'null'],
    theirs: ['bridge', 'host', 'ipvlan', 'macvlan', 'null', 'overlay'],
    reason: 'drivers that are not there yet',
  },
  {
    path: /\.(CgroupnsMode|SecurityOptions)$/,
    ours: /^("private"|\[.*"name=cgroupns"\])$/,
    theirs: /^("host"|\["name=seccomp,profile=builtin"\])$/,
    reason: 'containers get a cgroup namespace of their own on every host',
  },
  {
    path: /^GET \/info answer\.LiveRestoreEnabled$/,
    ours: true,
    theirs: false,
    reason: 'containers always outlive the daemon',
  },
  {
    path: /HostConfig\.(MaskedPaths|ReadonlyPaths)$/,
    ours: null,
    theirs: /^\["\/proc/,
    reason: 'null stays null, so that what is inspected and created again gets the list of the engine that it comes to',
  },
  {
    path: / answer\.(.*\.)?(Descriptor|ImageManifestDescriptor)$/,
    ours: /^\{"digest"/,
    theirs: undefined,
    reason: 'images keep their manifests, as with dockerd’s containerd image store',
  },
  {
    path: /com\.docker\.network\.bridge\.name$/,
    ours: 'berth0',
    theirs: 'docker0',
    reason: 'the bridge may stand beside dockerd’s',
  },
  {
    path: /HostConfig\.Runtime$/,
    ours: 'berth',
    theirs: 'runc',
    reason: 'the name of the runtime',
  },
]

export function isExplainedBy({ path, ours, theirs }: Explained, difference: Difference): boolean {
  return path.test(difference.at) && matches(ours, difference.ours) && matches(theirs, difference.theirs)
}

function matches(expected: Json | RegExp | undefined, actual: Json | undefined): boolean {
  const text = JSON.stringify(actual)
  return expected instanceof RegExp ? text !== undefined && expected.test(text) : JSON.stringify(expected) === text
}
