import { invalid, messageOf } from '#base/errors.ts'
import { ExitError } from './exit-error.ts'
import { type FlagValues, parsed, text, toggle } from './parsing/flag.ts'
import { type Parsed, parseArguments } from './parsing/parse.ts'

/** Options in front of the command. */
export const globals = {
  config: text('config', 'Directory of config.json (default ~/.docker)'),
  context: text('context', 'Context to use instead of DOCKER_HOST and the one that "context use" has set', {
    short: 'c',
  }),
  debug: toggle('debug', 'Show what is behind an error', { short: 'D' }),
  host: parsed('host', 'Where the engine listens: unix://, tcp:// or ssh://', 'string', oneHost, { short: 'H' }),
  logLevel: text('log-level', 'Accepted for compatibility', {
    short: 'l',
    initial: 'info',
  }),
  tls: toggle('tls', 'Use TLS; implied by --tlsverify'),
  tlscacert: text('tlscacert', 'Trust certificates signed only by this CA (default ~/.docker/ca.pem)'),
  tlscert: text('tlscert', 'File of our TLS certificate (default ~/.docker/cert.pem)'),
  tlskey: text('tlskey', 'File of our TLS key (default ~/.docker/key.pem)'),
  tlsverify: toggle('tlsverify', 'Use TLS and verify the engine'),
  version: toggle('version', 'Print the version', { short: 'v' }),
}

export type Globals = FlagValues<typeof globals>

const logLevels = ['debug', 'info', 'warn', 'error', 'fatal', 'panic']

function oneHost(value: string, before: string | undefined): string {
  if (before !== undefined) throw invalid('specify only one -H')
  return value
}

/** @throws ExitError in Docker's words */
export function parseGlobals(program: string, argv: readonly string[]): Parsed<typeof globals> {
  let top: Parsed<typeof globals>
  try {
    top = parseArguments(globals, argv, { interspersed: false })
    if (!logLevels.includes(top.flags.logLevel)) throw invalid(`unable to parse logging level: ${top.flags.logLevel}`)
  } catch (error) {
    const usage = `Usage:  ${program} [OPTIONS] COMMAND [ARG...]\n\nRun '${program} --help' for more information`
    throw new ExitError(125, `${messageOf(error)}\n\n${usage}`, error)
  }
  if (top.flags.context === '' || top.flags.host === undefined) return top
  throw invalid('conflicting options: cannot specify both --host and --context')
}
