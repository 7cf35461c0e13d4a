import { type LoggerOptions, pino } from 'pino'

/** The part of pino that we use; tests pass `silentLogger`. */
export interface Logger {
  trace(fields: object, message: string): void
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: Record<string, unknown>): Logger
}

/** Its level can change while it is used. */
export interface AdjustableLogger extends Logger {
  level: string
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
export type LogFormat = 'text' | 'json'

const redact = [
  'auth',
  'password',
  'token',
  'identitytoken',
  'registrytoken',
  'headers.authorization',
  '*.password',
  '*.auth',
]

/** Writes to standard error: `json` as pino's lines, `text` as logfmt like dockerd's. */
export function createLogger({ level, format }: { level: LogLevel; format: LogFormat }): AdjustableLogger {
  const options: LoggerOptions = {
    level,
    redact,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  }
  if (format === 'json') return pino(options, pino.destination({ dest: 2, sync: true }))
  return pino(options, { write: (line: string) => void process.stderr.write(toLogfmt(line)) })
}

export const silentLogger: Logger = pino({ level: 'silent' })

function toLogfmt(line: string): string {
  const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>
  const fields: [string, unknown][] = [['time', time], ['level', level], ['msg', msg], ...Object.entries(rest)]
  return `${fields.map(([key, value]) => `${key}=${toLogfmtValue(value)}`).join(' ')}\n`
}

function toLogfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text)
}
