import type { Json } from './exchange.ts'

/** What no two runs have alike, wherever it stands in an answer. */
const values: readonly (readonly [pattern: RegExp, mask: string])[] = [
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12}\b/g, '<short id>'],
  [/\b(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>'],
  [/\b(Less than a second|About a minute|\d+ (seconds?|minutes?))\b/g, '<duration>'],
  [/pid:\d+/g, 'pid:<number>'],
  [/docker-import-\d+/g, 'docker-import-<number>'],
  [/(?<=dial tcp: lookup )(?<host>[\w.-]+).*$/g, '$<host>: <no answer>'],
]

/** Fields that tell of the machine, of the moment or of the product. A zero, an empty text and a null stay: they are an answer. */
export const maskedFields: readonly (readonly [operation: string, fields: readonly string[], why: string])[] = [
  ['*', ['headers.server'], 'the version of the product'],
  ['GET /version', ['Version', 'GoVersion', 'KernelVersion', 'Components.0.Version'], 'the product and the machine'],
  [
    'GET /info',
    [
      ...['ID', 'Name', 'SystemTime', 'KernelVersion', 'OperatingSystem', 'OSVersion', 'Architecture', 'NCPU'],
      ...['MemTotal', 'ServerVersion', 'NFd', 'InitBinary', 'DriverStatus.0.1'],
    ],
    'the machine and the moment',
  ],
  [
    'GET /system/df',
    ['*.*.Created', '*.*.CreatedAt', 'LayersSize', '*.*.Size', '*.*.VirtualSize', '*.*.SizeRw', '*.*.SizeRootFs'],
    'the moment, the file system',
  ],
  ['GET /events', ['time', 'timeNano', '*.time', '*.timeNano'], 'the moment'],
  ['GET /events', ['*.Actor.Attributes.execDuration'], 'whole seconds'],
  ['GET /containers/json', ['*.Created', '*.SizeRw', '*.SizeRootFs'], 'the moment, the file system'],
  [
    'GET /containers/*/json',
    ['State.Pid', 'NetworkSettings.SandboxID', 'NetworkSettings.SandboxKey', 'SizeRw', 'SizeRootFs'],
    'the process and its namespace',
  ],
  ['GET /containers/*/json', ['GraphDriver.Data.*'], 'paths of a snapshot'],
  [
    'GET /containers/*/top',
    ['Processes.*.0', 'Processes.*.1', 'Processes.*.2', 'Processes.*.3', 'Processes.*.4', 'Processes.*.6'],
    'ps',
  ],
  ['GET /containers/*/stats', ['**'], 'counters'],
  ['GET /exec/*/json', ['Pid'], 'the process'],
  ['GET /images/json', ['*.Created', '*.Size', '*.VirtualSize'], 'the moment, the machine’s busybox'],
  ['GET /images/*/json', ['Size', 'VirtualSize', 'GraphDriver.Data.*'], 'the machine’s busybox, paths of a snapshot'],
  ['GET /images/*/json', ['DockerVersion'], 'the product'],
  ['GET /images/*/history', ['*.Created', '*.Size'], 'the moment, the machine’s busybox'],
  ['GET /distribution/*/json', ['Descriptor.size'], 'the machine’s busybox'],
  ['GET /volumes*', ['UsageData.Size', 'Volumes.*.UsageData.Size'], 'the file system'],
]

/** Fields that are not compared: what a product is made of, and counters, which are zero now and then. */
export const droppedFields: readonly (readonly [operation: string, fields: readonly string[]])[] = [
  [
    'GET /version',
    ['BuildTime', 'GitCommit', 'Platform.Name', 'Components.0.Details.BuildTime', 'Components.0.Details.GitCommit'],
  ],
  ['GET /version', ['Components.0.Details.GoVersion', 'Components.1', 'Components.2', 'Components.3']],
  ['GET /containers/*/stats', ['blkio_stats', 'memory_stats.stats', 'cpu_stats.cpu_usage', 'precpu_stats.cpu_usage']],
  ['GET /info', ['NEventsListener', 'NGoroutines', 'Runtimes', 'DefaultRuntime']],
  ['GET /info', ['ContainerdCommit', 'RuncCommit', 'InitCommit', 'Containerd', 'DockerRootDir']],
]

/** Lists whose order is nobody's promise. */
const unordered: readonly (readonly [operation: string, path: string])[] = [
  ['GET /networks', ''],
  ['GET /images/json', ''],
  ['GET /images/*', 'RepoTags'],
  ['GET /images/json', '*.RepoTags'],
  ['GET /volumes', 'Volumes'],
  ['GET /containers/*/json', 'Mounts'],
  ['GET /containers/json', '*.Mounts'],
  ['GET /containers/*/json', 'NetworkSettings.Networks.*.DNSNames'],
  ['DELETE /images/*', ''],
  ['GET /images/*/get', 'archive'],
  ['POST /images/prune*', 'ImagesDeleted'],
]

/**
 * Text with ids, times and paths replaced.
 * @param names what this run calls something → its name in the script
 */
export function maskText(text: string, names: ReadonlyMap<string, string>): string {
  let masked = text
  for (const [value, name] of names) masked = masked.replaceAll(value, name)
  for (const [pattern, mask] of values) masked = masked.replaceAll(pattern, mask)
  return masked
}

/** An answer's body as it is compared: objects in the order of their keys. */
export function maskBody(operation: string, body: Json, names: ReadonlyMap<string, string>): Json {
  const masks = maskedFields.filter(([of]) => fits(of, operation)).flatMap(([, fields]) => fields)
  const drops = droppedFields.filter(([of]) => fits(of, operation)).flatMap(([, fields]) => fields)
  const sorts = unordered.filter(([of]) => fits(of, operation)).map(([, path]) => path)
  const visit = (value: Json, path: string): Json => {
    if (value !== null && typeof value === 'object') {
      if (Array.isArray(value)) {
        const items = value.flatMap((one, index) => {
          const at = join(path, String(index))
          return drops.some((drop) => fits(drop, at)) ? [] : [visit(one, at)]
        })
        return sorts.some((sort) => fits(sort, path)) ? items.toSorted(byText) : items
      }
      const kept = Object.entries(value).filter(([key]) => !drops.some((drop) => fits(drop, join(path, key))))
      const entries = kept.map(([key, one]) => [maskText(key, names), visit(one as Json, join(path, key))])
      return Object.fromEntries(entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))) as Json
    }
    if (value && masks.some((mask) => fits(mask, path))) return `<${typeof value}>`
    return typeof value === 'string' ? maskText(value, names) : value
  }
  return visit(body, '')
}

/** `*` is one part of a path, `**` the whole rest; in an operation `*` is anything. */
export function fits(pattern: string, text: string): boolean {
  const isOperation = pattern === '*' || /^[A-Z]+ /.test(pattern)
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*+/g, (stars) => (isOperation || stars === '**' ? '.*' : '[^.]*'))
  return new RegExp(`^${source}$`).test(text)
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function byText(a: Json, b: Json): number {
  const [left = '', right = ''] = [JSON.stringify(a), JSON.stringify(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
