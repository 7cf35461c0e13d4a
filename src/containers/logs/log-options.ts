import { invalid, notImplemented } from '#base/errors.ts'
import { parseBytes } from '#base/quantity.ts'
import type { LogConfig } from '../container.ts'

/** The keeper document's `log`, without its path. */
export type LogPlan =
  | { readonly driver: 'none' }
  | { readonly driver: 'json-file'; readonly maxBytes: number; readonly maxFiles: number }

const laterDrivers = ['local', 'journald', 'syslog', 'gelf', 'fluentd', 'awslogs', 'splunk', 'etwlogs', 'gcplogs']
/** `mode` and `max-buffer-size` change nothing here: no container waits for anybody who takes its records. @see shim/README.md */
const accepted = ['max-size', 'max-file', 'mode', 'max-buffer-size']
const laterOptions = ['compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag']

/** @throws `invalid` in Docker's words, `not-implemented` */
export function parseLogOptions({ driver, options }: LogConfig): LogPlan {
  if (driver === 'none') return { driver: 'none' }
  if (laterDrivers.includes(driver)) throw notImplemented(`the log driver ${driver} is not implemented yet`)
  if (driver !== '' && driver !== 'json-file') {
    throw invalid(`error looking up logging plugin ${driver}: plugin "${driver}" not found`)
  }
  for (const key of Object.keys(options)) {
    if (laterOptions.includes(key)) throw notImplemented(`the log option ${key} is not implemented yet`)
    if (!accepted.includes(key)) throw invalid(`unknown log opt '${key}' for json-file log driver`)
  }
  checkMode(options.mode, options['max-buffer-size'])
  const maxFiles = Number(options['max-file'] ?? '1')
  if (!Number.isInteger(maxFiles)) throw invalid(`invalid max-file: ${options['max-file']}`)
  if (maxFiles < 1) throw invalid('max-file cannot be less than 1')
  return { driver: 'json-file', maxBytes: parseSize(options['max-size']), maxFiles }
}

/** @throws `invalid` in Docker's words */
function checkMode(mode = 'blocking', maxBufferSize: string | undefined): void {
  if (mode !== 'blocking' && mode !== 'non-blocking') throw invalid(`logger: logging mode not supported: ${mode}`)
  if (maxBufferSize === undefined) return
  if (mode === 'blocking') throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  parseBytes(maxBufferSize)
}

function parseSize(text: string | undefined): number {
  if (text === undefined || text === '-1') return 0
  return parseBytes(text)
}
