import { getAsset, isSea } from 'node:sea'
import type { SystemVersion } from '#contract/types.gen.ts'
import { buildFacts } from '../../build-facts.ts'
import type { Cli } from '../../cli.ts'
import { newestApiVersion } from '../../client/client.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const versionCommand = command({
  usage: '[OPTIONS]',
  summary: 'Show the versions of client and engine',
  flags: {
    format: text('format', objectFormatHelp, { short: 'f' }),
    licenses: toggle('licenses', 'Print the notices of others whose work is in this binary'),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    if (flags.licenses) return await printLicenses(cli)
    const [server] = await Promise.allSettled([cli.client.json<SystemVersion>('GET', '/version')])
    const view = { Client: clientVersion(cli), Server: server.status === 'fulfilled' ? withAlias(server.value) : null }
    if (flags.format === '') await cli.stdout.write(formatVersion(view))
    else {
      const { formatObject } = await import('../../output/format-flag.ts')
      await cli.stdout.write(formatObject(view, flags.format))
    }
    if (server.status === 'rejected') throw server.reason
    return 0
  },
})

interface VersionView {
  readonly Client: ReturnType<typeof clientVersion>
  readonly Server: SystemVersion | null
}

/** Docker's JSON says ApiVersion and its templates say APIVersion. */
function withAlias<T extends { readonly ApiVersion: string }>(version: T): T {
  return Object.defineProperty(version, 'APIVersion', { value: version.ApiVersion })
}

function clientVersion(cli: Cli) {
  const { version, gitCommit, buildTime } = buildFacts()
  return withAlias({
    Version: version,
    ApiVersion: cli.client.apiVersion,
    DefaultAPIVersion: newestApiVersion,
    GitCommit: gitCommit,
    NodeVersion: process.version,
    Os: process.platform,
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    BuildTime: buildTime,
    Context: cli.contexts.current,
  })
}

function formatVersion({ Client, Server }: VersionView): string {
  const lines = [
    'Client: Berth',
    ...fields(1, {
      Version: Client.Version,
      'API version': Client.ApiVersion,
      'Node version': Client.NodeVersion,
      'Git commit': Client.GitCommit,
      Built: Client.BuildTime,
      'OS/Arch': `${Client.Os}/${Client.Arch}`,
      Context: Client.Context,
    }),
  ]
  if (Server) lines.push('', ...serverLines(Server))
  return `${lines.join('\n')}\n`
}

function serverLines(server: SystemVersion): string[] {
  const name = server.Platform?.Name ?? ''
  const engine = fields(2, {
    Version: server.Version,
    'API version': `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`,
    'Go version': server.GoVersion,
    'Git commit': server.GitCommit,
    Built: server.BuildTime,
    'OS/Arch': `${server.Os}/${server.Arch}`,
    Experimental: String(server.Experimental ?? false),
  })
  const others = (server.Components ?? [])
    .filter(({ Name }) => Name !== 'Engine')
    .flatMap(({ Name, Version, Details }) => [
      ` ${Name}:`,
      ...fields(2, { Version, 'Git commit': Details?.GitCommit ?? '' }),
    ])
  return [name === '' ? 'Server:' : `Server: ${name}`, ' Engine:', ...engine, ...others]
}

/** Names and values in two columns; what is empty is left out. */
function fields(indent: number, values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== '' && value !== undefined)
    .map(([name, value]) => `${' '.repeat(indent)}${`${name}:`.padEnd(20 - indent)}${value}`)
}

async function printLicenses(cli: Cli): Promise<number> {
  if (!isSea()) throw new ExitError(1, 'the notices are made for the built binary; run dist/berth version --licenses')
  await cli.stdout.write(getAsset('licenses.txt', 'utf8'))
  return 0
}
