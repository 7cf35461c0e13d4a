import type { LogEntry } from '../../requests.ts'
import type { LogFacts, LogOptions } from '../attributes.ts'

/** Datagram sockets of the Unix kind, which Node lacks. */
export interface DatagramSockets {
  /** @throws `not-found`, `unavailable` when nobody listens */
  connectDatagram(path: string): number
  /** One datagram.   @throws `unavailable` when the other end does not read */
  send(socket: number, datagram: Uint8Array, descriptors: readonly number[]): void
  close(socket: number): void
}

export interface LogTarget {
  readonly options: LogOptions
  readonly facts: LogFacts
  readonly sockets: DatagramSockets
}

/** Where entries go. It connects with the first one. */
export interface LogSender {
  /** Resolves when they are out of our hands.   @throws what keeps them from going; they are sent again then, by another sender */
  send(entries: readonly LogEntry[], signal: AbortSignal): Promise<void>
  close(): void
}

/** A collector outside of the engine. What it gets is also kept in a file, which `logs` reads. */
export interface RemoteDriver {
  readonly options: readonly string[]
  /** @throws `invalid` in Docker's words */
  check(options: LogOptions): void
  /** @throws `unavailable` where a host cannot have it */
  checkHost?(): void
  open(target: LogTarget): LogSender
}

export const attributeOptions = ['env', 'env-regex', 'labels', 'labels-regex', 'tag'] as const

/** The line without its end, as collectors want it. */
export function textOf({ line }: LogEntry): Buffer {
  return isPartial(line) ? line : line.subarray(0, -1)
}

/** The record is a piece of a longer line. */
export function isPartial(line: Buffer): boolean {
  return line.at(-1) !== 0x0a
}

export const severityOf = ({ stream }: LogEntry): 3 | 6 => (stream === 'stderr' ? 3 : 6)
