type Fields = Readonly<Record<string, unknown>>

/**
 * A body with what reaches beyond the container taken back: nothing of the host is mounted but a scratch directory, no device but
 * /dev/null is given, no namespace is the host's, and nothing is logged to the host's services. Names count in any case, as with the decoder.
 */
export function harmless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(harmless)
  if (!isFields(value)) return value
  const entries = Object.entries(value).map(([name, one]) => [name, tamed(name.toLowerCase(), harmless(one))] as const)
  return Object.fromEntries(entries)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** The only way in which a field with such a name is sent. */
const tame: Readonly<Record<string, (value: unknown) => unknown>> = {
  privileged: () => false,
  cgroupparent: () => '',
  binds: texts(isNoHostPath),
  source: text(isNoHostPath),
  pathonhost: text((path) => path === '/dev/null' || path === '/dev/nosuch', '/dev/null'),
  path: () => '/dev/null',
  pidmode: text((mode) => mode !== 'host', ''),
  ipcmode: text((mode) => mode !== 'host', ''),
  utsmode: text((mode) => mode !== 'host', ''),
  sysctls: onlyKeys((name) => name === '' || name.startsWith('net.ipv4.') || !name.includes('.')),
  driveropts: mountOptions,
  options: mountOptions,
  type: text((type) => !['syslog', 'journald', 'gelf', 'fluentd', 'nfs', 'cgroup', 'cgroup2'].includes(type), 'none'),
}

function tamed(name: string, value: unknown): unknown {
  return Object.hasOwn(tame, name) ? tame[name]?.(value) : value
}

/** `@scratch@` is a directory of the campaign's own. */
function isNoHostPath(value: string): boolean {
  return !value.trim().startsWith('/') && !value.includes('..')
}

function text(isAllowed: (value: string) => boolean, instead = ''): (value: unknown) => unknown {
  return (value) => (typeof value === 'string' && !isAllowed(value) ? instead : value)
}

function texts(isAllowed: (value: string) => boolean): (value: unknown) => unknown {
  const one = text(isAllowed)
  return (value) => (Array.isArray(value) ? value.map(one) : one(value))
}

function onlyKeys(isAllowed: (name: string) => boolean): (value: unknown) => unknown {
  return (value) => {
    if (!isFields(value) || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).filter(([name]) => isAllowed(name)))
  }
}

/** Of a volume: mount(2) gets a tmpfs or nothing. */
function mountOptions(value: unknown): unknown {
  if (!isFields(value) || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (name === 'device') return [name, 'tmpfs']
      if (name === 'type') return [name, one === 'tmpfs' ? one : 'nosuch']
      return [name, one]
    }),
  )
}
