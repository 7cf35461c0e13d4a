/** What resolv.conf(5) says, as far as containers need it. */
export interface ResolvConf {
  readonly nameservers: readonly string[]
  readonly search: readonly string[]
  readonly options: readonly string[]
}

/** What a container gets when no nameserver of the host can be reached from it: those that Docker takes. */
export const fallbackNameservers: readonly string[] = ['8.8.8.8', '8.8.4.4']

/** Unknown lines are skipped; of `search` and `domain` the last one counts. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = []
  const options: string[] = []
  let search: readonly string[] = []
  for (const line of text.split('\n')) {
    if (/^\s*[#;]/.test(line)) continue
    const [key, ...values] = line.trim().split(/\s+/)
    if (key === 'nameserver' && values[0]) nameservers.push(values[0])
    else if (key === 'options') options.push(...values)
    else if (key === 'search') search = values
    else if (key === 'domain') search = values.slice(0, 1)
  }
  return { nameservers, search, options }
}

/**
 * The host's settings with a container's own in their place, list by list. Unless `keepLoopback`, nameservers that are reached
 * by loopback or IPv6 only are left out, since the container has neither the host's loopback nor an IPv6 address.
 */
export function resolvConfFor(
  host: ResolvConf,
  own: ResolvConf,
  { keepLoopback }: { keepLoopback: boolean },
): ResolvConf {
  const reachable = keepLoopback ? host.nameservers : host.nameservers.filter(isReachable)
  const inherited = reachable.length > 0 ? reachable : fallbackNameservers
  return {
    nameservers: own.nameservers.length > 0 ? own.nameservers : inherited,
    // A lone dot is how one asks for no search list at all.
    search: own.search.length > 0 ? own.search.filter((domain) => domain !== '.') : host.search,
    options: own.options.length > 0 ? own.options : host.options,
  }
}

/** With the engine's own server in front of all: names of one word are names of containers first. */
export function withOwnServer(conf: ResolvConf): ResolvConf {
  const options = conf.options.some((option) => option.startsWith('ndots:'))
    ? conf.options
    : [...conf.options, 'ndots:0']
  return { ...conf, nameservers: ['127.0.0.11'], options }
}

export function renderResolvConf({ nameservers, search, options }: ResolvConf): string {
  return [
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n')
}

function isReachable(address: string): boolean {
  return !address.startsWith('127.') && !address.includes(':')
}
