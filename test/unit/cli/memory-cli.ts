import { PassThrough } from 'node:stream'
import type { Cli } from '#cli/cli.ts'
import { type Address, toAddress } from '#cli/client/address.ts'
import type { Client } from '#cli/client/client.ts'
import type { ConfigFile } from '#cli/config/config-file.ts'
import { ContextStore } from '#cli/contexts/context-store.ts'
import { Contexts } from '#cli/contexts/current.ts'
import { parseGlobals } from '#cli/globals.ts'
import type { Output } from '#cli/terminal/streams.ts'

export interface MemoryOutput extends Output {
  text(): string
}

export function memoryOutput(shape: { isTerminal?: boolean; columns?: number; rows?: number } = {}): MemoryOutput {
  const parts: Buffer[] = []
  return {
    isTerminal: false,
    columns: 80,
    rows: 24,
    closed: false,
    ...shape,
    write: async (chunk) => {
      parts.push(Buffer.from(chunk))
    },
    onResize: () => ({ [Symbol.dispose]: () => undefined }),
    text: () => Buffer.concat(parts).toString(),
  }
}

/** What a command gets, with streams that remember. */
export function memoryCli(client: Client, config: ConfigFile = {}): { cli: Cli; stdout(): string; stderr(): string } {
  const stdout = memoryOutput()
  const stderr = memoryOutput()
  const cli: Cli = {
    program: 'berth',
    client,
    contexts: contextsOf(),
    stdout,
    stderr,
    stdin: {
      isTerminal: false,
      open: () => new PassThrough().end(),
      raw: async () => ({ [Symbol.dispose]: () => undefined }),
      release: () => undefined,
    },
    env: {},
    signals: { listen: () => ({ [Symbol.dispose]: () => undefined }) },
    configDirectory: '/nowhere',
    directory: '/here',
    config: async () => config,
    argv: [],
    plugins: async () => [],
  }
  return { cli, stdout: stdout.text, stderr: stderr.text }
}

export function addressOf(host: string): Address {
  return toAddress({ host, skipTlsVerify: false, tls: undefined })
}

export interface ContextSituation {
  /** Global options as typed. */
  readonly argv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly directory?: string
  readonly config?: ConfigFile
}

/** The contexts of a call: nothing is on the disk unless a directory is named. */
export function contextsOf({
  argv = [],
  env = {},
  directory = '/nowhere',
  config = {},
}: ContextSituation = {}): Contexts {
  return new Contexts(new ContextStore(directory), {
    top: parseGlobals('berth', argv),
    env,
    configDirectory: directory,
    standardHost: 'unix:///run/berth.sock',
    config: () => config,
  })
}
