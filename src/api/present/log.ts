import type { LogEntry } from '#engine/engine.ts'
import { frameHeadSize, writeFrameHead } from '../streams/multiplex.ts'

export interface LogPresentation {
  readonly framed: boolean
  readonly timestamps: boolean
  /** Undefined: not asked for. */
  readonly details: string | undefined
}

/** One piece for each batch: millions of lines pass here. */
export async function* presentLog(
  batches: AsyncIterable<readonly LogEntry[]>,
  presentation: LogPresentation,
): AsyncGenerator<Uint8Array> {
  for await (const batch of batches) yield presentBatch(batch, presentation)
}

function presentBatch(batch: readonly LogEntry[], { framed, timestamps, details }: LogPresentation): Buffer {
  const tail = details === undefined ? '' : `${details} `
  const prefixes = timestamps ? batch.map(({ time }) => `${formatPaddedNanos(time)} ${tail}`) : undefined
  const prefixSize = (index: number) => Buffer.byteLength(prefixes?.[index] ?? tail)
  const headSize = framed ? frameHeadSize : 0
  const size = batch.reduce((sum, { line }, index) => sum + headSize + prefixSize(index) + line.length, 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const [index, { stream, line }] of batch.entries()) {
    if (framed) at = writeFrameHead(bytes, at, { source: stream, size: prefixSize(index) + line.length })
    const prefix = prefixes?.[index] ?? tail
    if (prefix !== '') at += bytes.write(prefix, at)
    at += line.copy(bytes, at)
  }
  return bytes
}

/** RFC 3339 with all nine digits, so that lines are aligned. */
function formatPaddedNanos(nanos: bigint): string {
  const head = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${head}.${(nanos % 1_000_000_000n).toString().padStart(9, '0')}Z`
}

/** Attributes of the log as Go's `url.QueryEscape` writes them: "a=1,b=2". */
export function formatDetails(attributes: Readonly<Record<string, string>>): string {
  const escaped = (text: string) =>
    encodeURIComponent(text)
      .replaceAll('%20', '+')
      .replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
  return Object.keys(attributes)
    .toSorted()
    .map((key) => `${escaped(key)}=${escaped(attributes[key] ?? '')}`)
    .join(',')
}
