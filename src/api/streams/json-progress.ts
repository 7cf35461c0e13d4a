import { messageOf } from '#base/errors.ts'
import { formatBytes } from '#base/quantity.ts'
import type { JsonMessage } from '#contract/types.gen.ts'
import type { LoadProgress, PullProgress, PushedTag, PushProgress } from '#images/transfer/progress.ts'

/** Progress as lines of JSON. An error ends the stream as its last line: the status went out long ago. */
export async function* toJsonLines(progress: AsyncIterable<PushProgress | LoadProgress>): AsyncGenerator<string> {
  try {
    for await (const one of progress) yield toLine(toAnyMessage(one))
  } catch (error) {
    const message = messageOf(error)
    yield toLine({ errorDetail: { message }, error: message })
  }
}

function toAnyMessage(progress: PushProgress | LoadProgress): JsonMessage {
  if ('pushed' in progress) return toPushed(progress.pushed)
  return 'stream' in progress ? { stream: progress.stream } : toMessage(progress)
}

export function toMessage({ status, id, detail, overall }: PullProgress): JsonMessage {
  // Lines of a layer always carry progressDetail, those of the whole pull never; an import counts without a layer.
  const ofLayer = detail !== undefined || (id !== undefined && !status.startsWith('Pulling from '))
  const bar = detail === undefined ? '' : formatBar(detail.current ?? 0, detail.total ?? 0)
  return {
    status,
    ...(ofLayer && { progressDetail: detail ?? {} }),
    ...(bar !== '' && { progress: bar }),
    ...(id !== undefined && { id }),
    ...(overall && { overall }),
  }
}

function toPushed({ tag, digest, sizeBytes }: PushedTag): JsonMessage {
  return { progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: sizeBytes } }
}

/** `[==>   ]  1.2MB/3.4MB`, as wide as Docker draws it without a terminal. */
export function formatBar(current: number, total: number): string {
  if (current <= 0 && total <= 0) return ''
  const done = formatBytes(current).padStart(8)
  if (total <= 0) return done
  const filled = Math.min(50, Math.trunc(Math.trunc((current / total) * 100) / 2))
  const numbers = current > total ? done : `${done}/${formatBytes(total)}`
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] ${numbers}`
}

function toLine(message: JsonMessage): string {
  // Docker's lines end in CR LF.
  return `${JSON.stringify(message)}\r\n`
}
