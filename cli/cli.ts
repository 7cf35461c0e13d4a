import type { Client } from './client/client.ts'
import type { ConfigFile } from './config/config-file.ts'
import type { Contexts } from './contexts/current.ts'
import type { Plugin } from './plugins/plugin.ts'
import type { Input, Output } from './terminal/streams.ts'

/** What a command gets; nothing global. Only cli/main.ts makes one from the process. */
export interface Cli {
  /** What we are called in messages: `berth`, or `docker` when started through a link of that name. */
  readonly program: string
  /** Made when first asked for.   @throws ExitError when nobody can tell where the engine is */
  readonly client: Client
  readonly contexts: Contexts
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signals: Signals
  /** Directory of config.json. */
  readonly configDirectory: string
  /** Relative paths of the command line count from here. */
  readonly directory: string
  config(): Promise<ConfigFile>
  plugins(): Promise<Plugin[]>
  /** What this process was called with, behind our own name. */
  readonly argv: readonly string[]
}

export interface Signals {
  /** Until disposed, these signals call `listener` and no longer end the process. */
  listen(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): Disposable
}
