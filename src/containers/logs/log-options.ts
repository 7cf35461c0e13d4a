import { invalid, notImplemented } from '#base/errors.ts'
import { parseGoBoolean } from '#base/go-boolean.ts'
import { parseBytes } from '#base/quantity.ts'
import type { LogConfig } from '../container.ts'
import { type LogOptions, toPattern } from './attributes.ts'
import { attributeOptions } from './remote/driver.ts'
import { remoteDriver, remoteDriverNames } from './remote/drivers.ts'

/** The keeper document's `log`, without its path. */
export type LogPlan =
  | { readonly driver: 'none' }
  | { readonly driver: 'json-file'; readonly maxBytes: number; readonly maxFiles: number; readonly compress: boolean }

export const logDrivers: readonly string[] = [...remoteDriverNames, 'json-file', 'local', 'none'].sort()

const laterDrivers = ['awslogs', 'splunk', 'etwlogs', 'gcplogs']
/** They change nothing here: no container waits for anybody who takes its records. @see shim/README.md */
const pacing = ['mode', 'max-buffer-size']
const caching = ['cache-disabled', 'cache-max-size', 'cache-max-file', 'cache-compress']
const rotation = ['max-size', 'max-file', 'compress']
/** Of `local`, and of the file that stands behind a driver that sends. */
const localSize = { maxBytes: 20 << 20, maxFiles: 5, compress: true }

/**
 * Every driver but `none` writes a file of json-file records; those that send read it again.
 * @throws `invalid` in Docker's words, `not-implemented`
 */
export function parseLogOptions({ driver, options }: LogConfig): LogPlan {
  if (laterDrivers.includes(driver)) throw notImplemented(`the log driver ${driver} is not implemented yet`)
  const plan = planOf(driver || 'json-file', options)
  checkMode(options.mode, options['max-buffer-size'])
  for (const key of ['labels-regex', 'env-regex']) toPattern(options[key] ?? '')
  return plan
}

/** Whether `logs` can show what it wrote. */
export function isReadable({ driver, options }: LogConfig): boolean {
  if (driver === 'none') return false
  return remoteDriver(driver) === undefined || !isTrue(options['cache-disabled'])
}

function planOf(driver: string, options: LogOptions): LogPlan {
  const refuse = (key: string) => invalid(`unknown log opt '${key}' for ${driver} log driver`)
  switch (driver) {
    case 'none':
      return { driver: 'none' }
    case 'json-file':
      checkKeys(options, [...rotation, ...attributeOptions], refuse)
      return { driver: 'json-file', ...sizeOf(options, { maxBytes: 0, maxFiles: 1, compress: false }) }
    case 'local':
      checkKeys(options, rotation, (key) => invalid(`unknown log opt '${key}' for log driver local`))
      return { driver: 'json-file', ...sizeOf(options, localSize) }
    default:
      return planOfRemote(driver, options, refuse)
  }
}

function planOfRemote(driver: string, options: LogOptions, refuse: (key: string) => Error): LogPlan {
  const remote = remoteDriver(driver)
  if (!remote) throw invalid(`error looking up logging plugin ${driver}: plugin "${driver}" not found`)
  const isQuoted = driver === 'gelf'
  checkKeys(options, [...remote.options, ...caching], (key) =>
    isQuoted ? invalid(`unknown log opt ${JSON.stringify(key)} for ${driver} log driver`) : refuse(key),
  )
  remote.check(options)
  const { 'cache-max-size': size, 'cache-max-file': files, 'cache-compress': compress } = options
  const cache = { 'max-size': size, 'max-file': files, compress }
  return { driver: 'json-file', ...sizeOf(cache, localSize) }
}

function checkKeys(options: LogOptions, known: readonly string[], refuse: (key: string) => Error): void {
  for (const key of Object.keys(options)) if (!known.includes(key) && !pacing.includes(key)) throw refuse(key)
}

function isTrue(text = 'false'): boolean {
  return parseGoBoolean(text)
}

/** @throws `invalid` in Docker's words */
function checkMode(mode = 'blocking', maxBufferSize: string | undefined): void {
  if (mode !== 'blocking' && mode !== 'non-blocking') throw invalid(`logger: logging mode not supported: ${mode}`)
  if (maxBufferSize === undefined) return
  if (mode === 'blocking') throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  try {
    parseBytes(maxBufferSize)
  } catch (cause) {
    throw invalid(`error parsing option max-buffer-size: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

function sizeOf(
  options: Readonly<Partial<Record<'max-size' | 'max-file' | 'compress', string | undefined>>>,
  otherwise: { readonly maxBytes: number; readonly maxFiles: number; readonly compress: boolean },
): { maxBytes: number; maxFiles: number; compress: boolean } {
  const { 'max-size': size, 'max-file': files } = options
  const maxFiles = Number(files ?? otherwise.maxFiles)
  if (!Number.isInteger(maxFiles)) throw invalid(`invalid max-file: ${files}`)
  if (maxFiles < 1) throw invalid('max-file cannot be less than 1')
  const maxBytes = size === undefined ? otherwise.maxBytes : size === '-1' ? 0 : parseBytes(size)
  const isRotated = maxFiles > 1 && maxBytes > 0
  if (isTrue(options.compress) && !isRotated) {
    throw invalid('compress cannot be true when max-file is less than 2 or max-size is not set')
  }
  const compress = options.compress === undefined ? otherwise.compress : isTrue(options.compress)
  return { maxFiles, maxBytes, compress: compress && isRotated }
}
