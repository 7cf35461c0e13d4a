import type { Cli } from './cli.ts'
import type { FlagTable } from './parsing/flag.ts'
import type { Parsed } from './parsing/parse.ts'

/** One command, as its file declares it: what help prints, how it is parsed, what it does. */
export interface Command<F extends FlagTable = FlagTable> {
  /** Behind the command's name: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string
  readonly summary: string
  readonly flags: F
  readonly least: number
  readonly most?: number
  /** True: flags end at the first argument. */
  readonly stopsAtArgument?: boolean
  /** True: it works where no engine can be found. */
  readonly withoutEngine?: boolean
  /** The exit status.   @throws BerthError, or ExitError where the status matters */
  run(cli: Cli, input: Parsed<F>): Promise<number>
}

/** Keeps the flags' types inside and hides them outside, so that a catalogue can hold all commands. */
export function command<const F extends FlagTable>(declared: Command<F>): Command {
  return declared
}
