import { existsSync } from 'node:fs'
import { unavailable } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import { formatNanos } from '#base/timestamp.ts'
import type { LogEntry } from '../../requests.ts'
import type { LogFacts } from '../attributes.ts'
import { openUnixDatagrams } from './datagrams.ts'
import { attributeOptions, isPartial, type LogSender, type RemoteDriver, severityOf, textOf } from './driver.ts'

const socketPath = '/run/systemd/journal/socket'

export const journald: RemoteDriver = {
  options: attributeOptions,
  check: () => undefined,
  checkHost() {
    if (!existsSync(socketPath)) throw unavailable('journald is not enabled on this host')
  },
  open({ facts, sockets }): LogSender {
    const common = commonFields(facts)
    const sender = openUnixDatagrams(sockets, socketPath)
    return {
      send: (entries, signal) =>
        sender.send(
          entries.map((entry) => formatEntry(common, entry)),
          signal,
        ),
      close: () => sender.close(),
    }
  },
}

/** Names the journal takes: capitals, digits, underscores, no underscore in front. */
function toFieldName(text: string): string {
  return text
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_')
    .replace(/^_+/, '')
}

function commonFields({ id, name, imageName, tag, attributes }: LogFacts): Buffer {
  const own = Object.entries(attributes)
    .map(([key, value]): [string, string] => [toFieldName(key), value])
    .filter(([key]) => key !== '')
  const fields: readonly (readonly [string, string])[] = [
    ['CONTAINER_ID', shortId(id)],
    ['CONTAINER_ID_FULL', id],
    ['CONTAINER_NAME', name],
    ['CONTAINER_TAG', tag],
    ['IMAGE_NAME', imageName],
    ['SYSLOG_IDENTIFIER', tag],
    ...own,
  ]
  return Buffer.concat(fields.map(([key, value]) => field(key, Buffer.from(value))))
}

function formatEntry(common: Buffer, entry: LogEntry): Buffer {
  return Buffer.concat([
    common,
    field('PRIORITY', Buffer.from(String(severityOf(entry)))),
    field('SYSLOG_TIMESTAMP', Buffer.from(formatNanos(entry.time))),
    ...(isPartial(entry.line) ? [field('CONTAINER_PARTIAL_MESSAGE', Buffer.from('true'))] : []),
    field('MESSAGE', textOf(entry)),
  ])
}

/** The journal's native protocol: a value with newlines has its size in front, 64 bits in little endian. */
function field(name: string, value: Buffer): Buffer {
  if (!value.includes(0x0a)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')])
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(value.length))
  return Buffer.concat([Buffer.from(`${name}\n`), size, value, Buffer.from('\n')])
}
