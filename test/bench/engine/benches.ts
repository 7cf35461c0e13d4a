import type { Row } from '../table.ts'
import type { Engines } from './engines.ts'
import { exec } from './exec.ts'
import { list } from './list.ts'
import { logs } from './logs.ts'
import { many } from './many.ts'
import { memory } from './memory.ts'
import { run, startup } from './start.ts'
import { stats } from './stats.ts'

/** Each bench by name; it gives rows for the table. Memory comes first: of a daemon that has not worked yet. */
export const benches: Readonly<Record<string, (engines: Engines) => Promise<Row[]>>> = {
  memory,
  run,
  startup,
  exec,
  many,
  stats,
  logs,
  list,
}
