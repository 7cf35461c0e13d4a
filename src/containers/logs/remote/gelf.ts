import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { deflate, gzip } from 'node:zlib'
import { invalid, tooLarge } from '#base/errors.ts'
import { formatNanos } from '#base/timestamp.ts'
import type { LogEntry } from '../../requests.ts'
import type { LogFacts, LogOptions } from '../attributes.ts'
import { Connection } from './connection.ts'
import { openUdp } from './datagrams.ts'
import { attributeOptions, type LogSender, type RemoteDriver, severityOf, textOf } from './driver.ts'

/** A datagram that passes the internet whole. */
const datagramSize = 1420
const chunkHeadSize = 12
const maxChunks = 128

export const gelf: RemoteDriver = {
  options: [
    ...attributeOptions,
    ...['gelf-address', 'gelf-compression-type', 'gelf-compression-level'],
    ...['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay'],
  ],
  check: checkOptions,
  open({ options, facts }): LogSender {
    const { protocol, ...to } = parseAddress(options['gelf-address'])
    const format = formatter(facts)
    if (protocol === 'tcp') {
      const connection = new Connection(to)
      return {
        async send(entries, signal) {
          const messages = entries.filter(hasText).map((entry) => Buffer.concat([format(entry), Buffer.of(0)]))
          if (messages.length > 0) await connection.write(Buffer.concat(messages), signal)
        },
        close: () => connection.close(),
      }
    }
    const sender = openUdp(to)
    const compress = compressor(options)
    return {
      async send(entries, signal) {
        for (const entry of entries.filter(hasText)) await sender.send(chunks(await compress(format(entry))), signal)
      },
      close: () => sender.close(),
    }
  },
}

function parseAddress(text = ''): { protocol: 'tcp' | 'udp'; host: string; port: number } {
  if (text === '') throw invalid('gelf-address is a required parameter')
  const match = /^(tcp|udp):\/\/(.*)$/.exec(text)
  if (!match) throw invalid('gelf: endpoint needs to be TCP or UDP')
  const place = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/]*)):(\d{1,5})\/?$/.exec(match[2] ?? '')
  if (!place) throw invalid('gelf: please provide gelf-address as proto://host:port')
  return {
    protocol: match[1] === 'tcp' ? 'tcp' : 'udp',
    host: place[1] ?? (place[2] || '127.0.0.1'),
    port: Number(place[3]),
  }
}

/** @throws `invalid` in Docker's words */
function checkOptions(options: LogOptions): void {
  const { protocol } = parseAddress(options['gelf-address'])
  const unknown = (key: string) =>
    invalid(`unknown value ${JSON.stringify(options[key])} for log opt "${key}" for gelf log driver`)
  const { 'gelf-compression-type': type, 'gelf-compression-level': level } = options
  if ((type !== undefined || level !== undefined) && protocol !== 'udp') {
    throw invalid('compression is only supported on UDP')
  }
  if (type !== undefined && !['gzip', 'zlib', 'none'].includes(type)) throw unknown('gelf-compression-type')
  if (level !== undefined && !/^(-1|\d)$/.test(level)) throw unknown('gelf-compression-level')
  for (const key of ['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay']) {
    const value = options[key]
    if (value === undefined) continue
    if (protocol !== 'tcp') throw invalid(`"${key}" is only valid for TCP`)
    if (!/^\d+$/.test(value)) throw invalid(`"${key}" must be a positive integer`)
  }
}

function hasText({ line }: LogEntry): boolean {
  return line.length > 1 || (line.length === 1 && line[0] !== 0x0a)
}

function formatter(facts: LogFacts): (entry: LogEntry) => Buffer {
  const host = hostname()
  const extra = Object.entries(facts.attributes).map(([key, value]) => [key.startsWith('_') ? key : `_${key}`, value])
  const own = {
    _command: facts.command,
    _container_id: facts.id,
    _container_name: facts.name,
    _created: formatNanos(facts.createdAt),
    _image_id: facts.imageId,
    _image_name: facts.imageName,
    _tag: facts.tag,
    ...Object.fromEntries(extra),
  }
  return (entry) =>
    Buffer.from(
      JSON.stringify({
        version: '1.1',
        host,
        short_message: textOf(entry).toString('utf8'),
        timestamp: Number(entry.time / 1_000_000n) / 1000,
        level: severityOf(entry),
        ...own,
      }),
    )
}

function compressor(options: LogOptions): (bytes: Buffer) => Promise<Buffer> {
  const type = options['gelf-compression-type'] ?? 'gzip'
  if (type === 'none') return async (bytes) => bytes
  const level = Number(options['gelf-compression-level'] ?? 1)
  const run = promisify<Buffer, { level: number }, Buffer>(type === 'zlib' ? deflate : gzip)
  return (bytes) => run(bytes, { level })
}

/** GELF by UDP: 0x1e 0x0f, an id of eight bytes, number and count, one byte each. */
function chunks(message: Buffer): Buffer[] {
  if (message.length <= datagramSize) return [message]
  const size = datagramSize - chunkHeadSize
  const count = Math.ceil(message.length / size)
  if (count > maxChunks)
    throw tooLarge(`a GELF message of ${message.length} bytes is too large for ${maxChunks} datagrams`)
  const id = randomBytes(8)
  return Array.from({ length: count }, (_, number) =>
    Buffer.concat([
      Buffer.of(0x1e, 0x0f),
      id,
      Buffer.of(number, count),
      message.subarray(number * size, (number + 1) * size),
    ]),
  )
}
