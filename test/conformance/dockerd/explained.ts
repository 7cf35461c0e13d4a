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
    ours: 400,
    theirs: 500,
    reason: 'a value that cannot be read is the fault of whoever sent it',
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
    path: /^GET \/info answer\.SecurityOptions$/,
    ours: /"name=cgroupns"/,
    theirs: ['name=seccomp,profile=builtin'],
    reason: 'containers get a cgroup namespace of their own on every host',
  },
  {
    path: /\.CgroupnsMode$/,
    ours: 'private',
    theirs: 'host',
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
