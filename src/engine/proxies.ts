import { checkProxies, type Proxies, proxiesOfEnvironment } from '#images/registry/proxies.ts'
import type { Config } from './config.ts'

/** What the configuration says, and the environment where it says nothing.   @throws `invalid` for what is no proxy */
export function proxiesOf(config: Config, env: Readonly<Record<string, string | undefined>>): Proxies {
  const { http, https, none } = proxiesOfEnvironment(env)
  const proxies = {
    http: config.httpProxy || http,
    https: config.httpsProxy || https,
    none: config.noProxy || none,
  }
  checkProxies(proxies)
  return proxies
}
