import { isAbsolute } from 'node:path'
import { createApiServer } from '#api/server.ts'
import { buildFacts } from '#base/build-facts.ts'
import { BerthError, invalid, messageOf, unavailable } from '#base/errors.ts'
import { type AdjustableLogger, createLogger } from '#base/log.ts'
import { openEngine } from '#engine/compose.ts'
import type { Config } from '#engine/config.ts'
import type { Natives } from '#engine/natives.ts'
import { parseFlags } from './flags.ts'
import { parseHost } from './listeners.ts'
import { help } from './options.ts'
import { writePidfile } from './pidfile.ts'
import { reloadOnHangup } from './reload.ts'
import { serveHosts } from './serve-hosts.ts'
import { untilStopped } from './signals.ts'
import { notify } from './systemd.ts'
import { networkAccess, refuseUndecided } from './tls.ts'

export interface DaemonPorts {
  /** Unpacks or finds what is not TypeScript. */
  openNatives(dataRoot: string): Promise<Natives>
  /** Forgets those of other versions; called when the data root is ours. */
  removeOtherNatives(dataRoot: string, natives: Natives): Promise<void>
}

/**
 * Runs the daemon until it is told to stop.
 * @param argv the words behind `daemon`
 * @returns the exit status
 */
export async function main(argv: readonly string[], ports: DaemonPorts): Promise<number> {
  let config: Config
  try {
    const asked = parseFlags(argv)
    if (asked.kind === 'help') {
      process.stdout.write(help)
      return 0
    }
    config = asked.config
    checkConfig(config)
    if (asked.kind === 'validate') {
      process.stderr.write('configuration OK\n')
      return 0
    }
    if (process.getuid?.() !== 0) throw unavailable('berth daemon needs to be run as root')
  } catch (error) {
    return complain(error)
  }
  const log = createLogger({ level: config.logLevel, format: config.logFormat })
  process.on('unhandledRejection', (error) => log.error({ error: describe(error) }, 'a failure that nobody awaited'))
  try {
    await serve({ argv, config, log }, ports)
    return 0
  } catch (error) {
    log.error({ error: describe(error) }, 'the daemon ends')
    return complain(error)
  }
}

/** What cannot work at all is said before anything is touched. */
function checkConfig(config: Config): void {
  const { hosts, dataRoot, execRoot } = config
  if (hosts.length === 0) throw unavailable('there is nothing to listen on: give a --host')
  const access = networkAccess(config)
  for (const host of hosts) if (parseHost(host).kind === 'tcp') refuseUndecided(access, host)
  for (const root of [dataRoot, execRoot]) if (!isAbsolute(root)) throw invalid(`${root} is not an absolute path`)
}

interface Start {
  readonly argv: readonly string[]
  readonly config: Config
  readonly log: AdjustableLogger
}

async function serve({ argv, config, log }: Start, { openNatives, removeOtherNatives }: DaemonPorts): Promise<void> {
  // Files for containers must be readable inside, whatever the shell that started us thinks; secrets name their mode.
  process.umask(0o022)
  const stopped = untilStopped(log)
  const access = networkAccess(config)
  await using opened = new AsyncDisposableStack()
  const natives = await openNatives(config.dataRoot)
  const engine = opened.use(await openEngine(config, natives, log))
  await removeOtherNatives(config.dataRoot, natives)
  if (config.pidfile !== undefined) opened.use(await writePidfile(config.pidfile))
  const server = opened.use(createApiServer(engine, { logger: log }))
  await serveHosts(opened, { server, config, access, log })
  log.info({ version: buildFacts.version, hosts: config.hosts.join(' '), dataRoot: config.dataRoot }, 'berth is ready')
  opened.use(reloadOnHangup({ argv, engine, log }))
  await notify('READY=1', log)
  const signal = await stopped
  log.info({ signal }, 'stopping; containers go on')
  await notify('STOPPING=1', log)
}

function complain(error: unknown): number {
  process.stderr.write(`berth daemon: ${messageOf(error)}\n`)
  return 1
}

/** Errors of ours are sentences; of others the place in the code is what helps. */
function describe(error: unknown): string {
  if (error instanceof BerthError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
