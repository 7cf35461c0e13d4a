import type { Route } from './call.ts'

/** A route that fits, and the values of its path's names. */
export interface Match {
  readonly route: Route
  readonly path: Readonly<Record<string, string>>
}

interface Compiled {
  readonly route: Route
  readonly pattern: RegExp
}

/** Finds the route of a request: method and path template, first match in the order given, fixed paths before open ones. */
export class Router {
  readonly #fixed = new Map<string, Route>()
  readonly #open: Compiled[] = []

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.template.includes('{')) this.#open.push({ route, pattern: compile(route.template) })
      else this.#fixed.set(`${route.method} ${route.template}`, route)
    }
  }

  /** @param path decoded, without version and query */
  find(method: string, path: string): Match | undefined {
    const fixed = this.#fixed.get(`${method} ${path}`)
    if (fixed) return { route: fixed, path: {} }
    for (const { route, pattern } of this.#open) {
      if (route.method !== method) continue
      const match = pattern.exec(path)
      if (match) return { route, path: { ...match.groups } }
    }
    return undefined
  }
}

/** Names of images hold slashes: `{name}` takes them, `{id}` does not. */
function compile(template: string): RegExp {
  const escaped = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(
    `^${escaped.replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${name === 'name' ? '.+' : '[^/]+'})`)}$`,
  )
}
