import { existsSync } from 'node:fs'
import { type Endpoint, type EndpointOptions, tlsFilesOf, toEndpoint } from '../client/endpoint.ts'
import type { ConfigFile } from '../config/config-file.ts'
import type { Globals } from '../globals.ts'
import type { Parsed } from '../parsing/parse.ts'
import { type Context, defaultName, fromContext, type TlsByEndpoint, toContext, toTlsFiles } from './context.ts'
import type { ContextPlace, ContextStore } from './context-store.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ContextOptions {
  readonly top: Pick<Parsed<Record<string, never>>, 'given'> & { readonly flags: Globals }
  readonly env: Environment
  readonly configDirectory: string
  readonly standardHost: string
  config(): Pick<ConfigFile, 'currentContext'>
}

/** The contexts of this call: those on the disk, and the one that flags and environment make. */
export class Contexts {
  readonly store: ContextStore
  readonly #options: ContextOptions

  constructor(store: ContextStore, options: ContextOptions) {
    this.store = store
    this.#options = options
  }

  /** `--context`, else `default` when a host is named, else DOCKER_CONTEXT, else what `context use` has kept. It may not be there. */
  get current(): string {
    const { top, env, config } = this.#options
    if (top.flags.context !== '') return top.flags.context
    if (top.flags.host !== undefined || this.hostVariable !== undefined) return defaultName
    return env.DOCKER_CONTEXT || config().currentContext || defaultName
  }

  /** The variable that names a host, and so hides every context. */
  get hostVariable(): 'BERTH_HOST' | 'DOCKER_HOST' | undefined {
    const { env } = this.#options
    return env.BERTH_HOST ? 'BERTH_HOST' : env.DOCKER_HOST ? 'DOCKER_HOST' : undefined
  }

  /** Where the engine listens when neither a flag nor a context nor DOCKER_HOST says it: others do not know of it. */
  get unnamedHost(): string | undefined {
    const { top, env, standardHost } = this.#options
    if (top.flags.host !== undefined || this.current !== defaultName) return undefined
    if (env.BERTH_HOST) return env.BERTH_HOST
    const { flags, given } = top
    const tls = flags.tls || given.has('tlsverify') || Boolean(env.DOCKER_TLS || env.DOCKER_TLS_VERIFY)
    return env.DOCKER_HOST || tls ? undefined : standardHost
  }

  /** @throws `invalid` and `not-found` in docker's words */
  engine(): Endpoint {
    const { current } = this
    return current === defaultName
      ? this.#default()
      : fromContext(this.store.read(current), this.store.readTls(current))
  }

  /** @throws as `engine` */
  read(name: string): Context {
    return name === defaultName ? toContext(defaultName, this.#default()) : this.store.read(name)
  }

  /** @throws as `engine` */
  readTls(name: string): TlsByEndpoint {
    return name === defaultName ? toTlsFiles(this.#default()) : this.store.readTls(name)
  }

  placeOf(name: string): ContextPlace {
    if (name !== defaultName) return this.store.placeOf(name)
    return { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' }
  }

  #default(): Endpoint {
    return toEndpoint(this.#endpointOptions())
  }

  #endpointOptions(): EndpointOptions {
    const { top, env, configDirectory, standardHost } = this.#options
    const tls = tlsFilesOf(top.flags, top.given, { env, configDirectory, exists: existsSync })
    return { host: top.flags.host ?? (env.BERTH_HOST || env.DOCKER_HOST || ''), standardHost, tls }
  }
}
