import type { ConfigFile } from './config-file.ts'

const variables = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  ftpProxy: 'FTP_PROXY',
  allProxy: 'ALL_PROXY',
} as const

/**
 * The environment with the proxies that the configuration has for this engine (or by default), in both cases of letters, in
 * front of what was asked for; a variable that is asked for is left alone.   @param host as in DOCKER_HOST
 */
export function withProxies(env: readonly string[], config: ConfigFile, host: string): string[] {
  const proxies = config.proxies?.[host] ?? config.proxies?.default ?? {}
  const named = new Set(env.map((entry) => entry.split('=', 1)[0]))
  const added = Object.entries(variables).flatMap(([key, name]) => {
    const value = proxies[key as keyof typeof variables]
    if (value === undefined || value === '') return []
    return [name, name.toLowerCase()].filter((one) => !named.has(one)).map((one) => `${one}=${value}`)
  })
  return [...added, ...env]
}
