import { randomBytes } from 'node:crypto'
import { decode, Encoder, ExtData } from '@msgpack/msgpack'
import { invalid, unavailable } from '#base/errors.ts'
import { parseGoBoolean } from '#base/go-boolean.ts'
import { parseBytes, parseDurationMs } from '#base/quantity.ts'
import type { LogEntry } from '../../requests.ts'
import type { LogFacts, LogOptions } from '../attributes.ts'
import { Connection, type StreamAddress } from './connection.ts'
import { attributeOptions, isPartial, type LogSender, type RemoteDriver, textOf } from './driver.ts'

const defaultPort = 24_224
const acknowledgeMs = 10_000

export const fluentd: RemoteDriver = {
  options: [
    ...attributeOptions,
    ...['fluentd-address', 'fluentd-async', 'fluentd-async-reconnect-interval', 'fluentd-buffer-limit'],
    ...['fluentd-max-retries', 'fluentd-request-ack', 'fluentd-retry-wait'],
    ...['fluentd-sub-second-precision', 'fluentd-write-timeout'],
  ],
  check: checkOptions,
  open({ options, facts }): LogSender {
    const writeMs = parseDurationMs(options['fluentd-write-timeout'] ?? '0')
    const connection = new Connection({ ...parseAddress(options['fluentd-address']), writeMs })
    const precise = parseGoBoolean(options['fluentd-sub-second-precision'] ?? 'false')
    const acknowledged = parseGoBoolean(options['fluentd-request-ack'] ?? 'false')
    const encoder = new Encoder()
    const write = (entry: LogEntry, chunk?: string) => {
      const time = precise ? eventTime(entry.time) : Number(entry.time / 1_000_000_000n)
      return encoder.encode([facts.tag, time, recordOf(facts, entry), ...(chunk === undefined ? [] : [{ chunk }])])
    }
    return {
      async send(entries, signal) {
        const chunk = acknowledged ? randomBytes(16).toString('base64') : undefined
        const last = entries.length - 1
        const bytes = entries.map((entry, index) => write(entry, index === last ? chunk : undefined))
        const answer = chunk === undefined ? undefined : readAnswer(connection, signal)
        await Promise.all([connection.write(Buffer.concat(bytes), signal), answer])
        const text = (await answer) as { readonly ack?: unknown } | undefined
        if (chunk !== undefined && text?.ack !== chunk) throw unavailable('fluentd has acknowledged something else')
      },
      close: () => connection.close(),
    }
  },
}

/** @throws `invalid` in Docker's words */
function parseAddress(text = ''): StreamAddress {
  const wrong = (why: string) => invalid(`invalid fluentd-address (${text}): ${why}`)
  if (text === '') return { host: '127.0.0.1', port: defaultPort }
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z+]+):\/\/)?(.*)$/.exec(text) ?? []
  if (scheme === 'unix') {
    if (rest === '') throw wrong('path is empty')
    return { path: rest }
  }
  if (scheme !== 'tcp' && scheme !== 'tls') throw wrong(`unsupported scheme: '${scheme}'`)
  const [place = '', ...path] = rest.split('/')
  if (path.length > 0) throw wrong('should not contain a path element')
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]*))(?::(.*))?$/.exec(place)
  const port = match?.[3] === undefined ? defaultPort : Number(match[3])
  if (!match || !/^\d*$/.test(match[3] ?? '') || port > 65_535) {
    throw wrong(`parse "${scheme}://${rest}": invalid port ":${match?.[3] ?? ''}" after host`)
  }
  const host = match[1] ?? (match[2] || '127.0.0.1')
  const tls = { ca: undefined, cert: undefined, key: undefined, skipVerify: false }
  return { host, port, ...(scheme === 'tls' && { tls }) }
}

/** @throws `invalid` in Docker's words */
function checkOptions(options: LogOptions): void {
  parseAddress(options['fluentd-address'])
  const { 'fluentd-buffer-limit': limit, 'fluentd-max-retries': retries } = options
  if (limit !== undefined) parseBytes(limit)
  for (const key of ['fluentd-retry-wait', 'fluentd-async-reconnect-interval']) checkDuration(options[key])
  if (retries !== undefined && !/^\d+$/.test(retries)) {
    throw invalid(`strconv.ParseUint: parsing ${JSON.stringify(retries)}: invalid syntax`)
  }
  for (const key of ['fluentd-async', 'fluentd-request-ack', 'fluentd-sub-second-precision'])
    parseGoBoolean(options[key] ?? 'false')
  const timeout = options['fluentd-write-timeout']
  try {
    checkDuration(timeout)
  } catch (error) {
    throw invalid(
      `invalid value for fluentd-write-timeout: value must be a duration: ${error instanceof Error ? error.message : ''}`,
    )
  }
}

function checkDuration(text: string | undefined): void {
  if (text === undefined) return
  try {
    parseDurationMs(text)
  } catch {
    throw invalid(`time: invalid duration ${JSON.stringify(text)}`)
  }
}

function recordOf({ id, name, attributes }: LogFacts, entry: LogEntry): Record<string, string> {
  return {
    container_id: id,
    container_name: `/${name}`,
    source: entry.stream,
    log: textOf(entry).toString('utf8'),
    ...(isPartial(entry.line) && { partial_message: 'true' }),
    ...attributes,
  }
}

/** Forward protocol: extension 0, seconds and nanoseconds of 32 bits each. */
function eventTime(nanos: bigint): ExtData {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Number(nanos / 1_000_000_000n))
  view.setUint32(4, Number(nanos % 1_000_000_000n))
  return new ExtData(0, bytes)
}

/** The answer to one chunk: small, and with nothing behind it. */
async function readAnswer(connection: Connection, signal: AbortSignal): Promise<unknown> {
  const socket = await connection.socket(signal)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const timer = setTimeout(() => reject(unavailable('fluentd does not acknowledge')), acknowledgeMs)
  const gone = () => reject(unavailable('fluentd closed the connection before it acknowledged'))
  socket.once('data', resolve).once('close', gone)
  try {
    return decode(await promise)
  } finally {
    clearTimeout(timer)
    socket.off('close', gone).off('data', resolve)
  }
}
