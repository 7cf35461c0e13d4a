import { join } from 'node:path'
import type { CommandResult, TestDaemon } from '../../support/daemon.ts'
import { openTerminal, type Terminal } from '../../support/terminal.ts'

const program = join(import.meta.dirname, '../../../src/main.ts')

/** The command line of our client, run from its sources. */
export const berthCommand: readonly string[] = [process.execPath, program]

export interface Berth {
  (...args: readonly string[]): Promise<CommandResult>
  /** The same on a terminal of 30 rows and 100 columns. */
  onTerminal(...args: readonly string[]): Promise<Terminal>
}

/** Our client against a daemon. */
export function berthFor(daemon: TestDaemon): Berth {
  const run = (...args: readonly string[]) => daemon.run([...berthCommand, ...args])
  const env = { ...process.env, BERTH_HOST: daemon.host, DOCKER_CONFIG: daemon.directory, TERM: 'xterm' }
  const onTerminal = (...args: readonly string[]) =>
    openTerminal([...berthCommand, ...args], { env, rows: 30, columns: 100 })
  return Object.assign(run, { onTerminal })
}
