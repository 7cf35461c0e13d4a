import { existsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { invalid, unavailable } from '#base/errors.ts'
import type { LogEntry } from '../../requests.ts'
import type { LogFacts, LogOptions } from '../attributes.ts'
import { Connection, type StreamAddress, type TlsFiles } from './connection.ts'
import { type DatagramSender, openUdp, openUnixDatagrams } from './datagrams.ts'
import { attributeOptions, type LogSender, type RemoteDriver, severityOf, textOf } from './driver.ts'

const facilities = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['', '', '', '', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
]
const localSockets = ['/dev/log', '/var/run/syslog', '/var/run/log']
const defaultPort = 514

export const syslog: RemoteDriver = {
  options: [
    ...attributeOptions,
    ...['syslog-address', 'syslog-facility', 'syslog-format'],
    ...['syslog-tls-ca-cert', 'syslog-tls-cert', 'syslog-tls-key', 'syslog-tls-skip-verify'],
  ],

  check(options) {
    parseAddress(options)
    parseFacility(options['syslog-facility'])
    parseFormat(options['syslog-format'])
  },

  open({ options, facts, sockets }): LogSender {
    const address = parseAddress(options)
    const facility = parseFacility(options['syslog-facility'])
    const format = parseFormat(options['syslog-format'])
    const write = (entry: LogEntry) => format({ facts, entry, priority: facility * 8 + severityOf(entry) })
    if (address.kind === 'stream') {
      const connection = new Connection(address.to)
      return {
        send: (entries, signal) => connection.write(Buffer.concat(entries.map(write)), signal),
        close: () => connection.close(),
      }
    }
    const sender: DatagramSender =
      address.kind === 'udp' ? openUdp(address.to) : openUnixDatagrams(sockets, address.path ?? findLocalSocket())
    return { send: (entries, signal) => sender.send(entries.map(write), signal), close: () => sender.close() }
  },
}

type Address =
  | { readonly kind: 'stream'; readonly to: StreamAddress }
  | { readonly kind: 'udp'; readonly to: { readonly host: string; readonly port: number } }
  | { readonly kind: 'datagrams'; readonly path: string | undefined }

/** @throws `invalid` in Docker's words */
function parseAddress(options: LogOptions): Address {
  const text = options['syslog-address'] ?? ''
  if (text === '') return { kind: 'datagrams', path: undefined }
  const [, scheme = '', rest = ''] = /^(?:([a-z+]+):\/\/)?(.*)$/.exec(text) ?? []
  switch (scheme) {
    case 'unix':
    case 'unixgram':
      if (!existsSync(rest)) throw invalid(`stat ${rest}: no such file or directory`)
      if (!statSync(rest).isSocket()) throw invalid(`${rest} is no socket`)
      return scheme === 'unix' ? { kind: 'stream', to: { path: rest } } : { kind: 'datagrams', path: rest }
    case 'udp':
      return { kind: 'udp', to: parseHost(rest) }
    case 'tcp':
      return { kind: 'stream', to: parseHost(rest) }
    case 'tcp+tls':
      return { kind: 'stream', to: { ...parseHost(rest), tls: tlsFilesOf(options) } }
    default:
      throw invalid(`unsupported scheme: '${scheme}'`)
  }
}

function parseHost(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/?#]*))(?::(\d+))?$/.exec(text)
  const port = Number(match?.[3] ?? defaultPort)
  if (!match || port > 65_535) throw invalid(`syslog-address should be in form proto://host:port, got ${text}`)
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port }
}

function tlsFilesOf(options: LogOptions): TlsFiles {
  return {
    ca: options['syslog-tls-ca-cert'],
    cert: options['syslog-tls-cert'],
    key: options['syslog-tls-key'],
    skipVerify: options['syslog-tls-skip-verify'] !== undefined,
  }
}

/** @throws `invalid` in Docker's words */
function parseFacility(text = 'daemon'): number {
  if (text === '') return facilities.indexOf('daemon')
  const number = /^\d+$/.test(text) ? Number(text) : facilities.indexOf(text)
  if (number < 0 || number > 23) throw invalid('invalid syslog facility')
  return number
}

interface Message {
  readonly facts: LogFacts
  readonly entry: LogEntry
  readonly priority: number
}

type Format = (message: Message) => Buffer

/** @throws `invalid` in Docker's words */
function parseFormat(text = ''): Format {
  switch (text) {
    case '':
      return formatLocal
    case 'rfc3164':
      return formatRfc3164
    case 'rfc5424':
      return (message) => formatRfc5424(message, 0)
    case 'rfc5424micro':
      return (message) => formatRfc5424(message, 6)
    default:
      throw invalid('Invalid syslog format')
  }
}

/** As the C library writes to /dev/log: no host name. */
const formatLocal: Format = ({ facts, entry, priority }) =>
  lineOf(`<${priority}>${stamp(entry.time)} ${facts.tag}[${process.pid}]: `, entry)

const formatRfc3164: Format = ({ facts, entry, priority }) =>
  lineOf(`<${priority}>${stamp(entry.time)} ${hostname()} ${facts.tag}[${process.pid}]: `, entry)

/** RFC 5424, each message with its length in front (RFC 5425 section 4.3), as Docker sends it. */
function formatRfc5424({ facts: { tag }, entry, priority }: Message, digits: 0 | 6): Buffer {
  const iso = new Date(Number(entry.time / 1_000_000n)).toISOString().slice(0, 19)
  const micros = digits === 0 ? '' : `.${(entry.time % 1_000_000_000n).toString().padStart(9, '0').slice(0, 6)}`
  const head = `<${priority}>1 ${iso}${micros}Z ${hostname()} ${tag} ${process.pid} ${tag} - `
  const message = lineOf(head, entry)
  return Buffer.concat([Buffer.from(`${message.length} `), message])
}

function lineOf(head: string, entry: LogEntry): Buffer {
  return Buffer.concat([Buffer.from(head), textOf(entry), Buffer.from('\n')])
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** "Jan  2 15:04:05", in the host's own time (RFC 3164 section 4.1.2). */
function stamp(nanos: bigint): string {
  const date = new Date(Number(nanos / 1_000_000n))
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`
}

function findLocalSocket(): string {
  const path = localSockets.find((one) => existsSync(one))
  if (path === undefined) throw unavailable('Unix syslog delivery error')
  return path
}
