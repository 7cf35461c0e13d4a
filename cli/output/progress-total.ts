import { formatBytes } from '#base/quantity.ts'
import type { ProgressMessage } from '../client/wire.ts'

export type Overall = NonNullable<ProgressMessage['overall']>

export interface CountedLayer {
  readonly status: string
  readonly current: number
  readonly total: number
}

const finished = /^(Pull complete|Already exists|Layer already exists|Pushed|Mounted from .*|Loaded)$/
const counted =
  /^(Pulling fs layer|Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pull complete|Already exists|Preparing|Pushing|Pushed|Layer already exists|Mounted from )/

/** `Total: 1/3 layers, downloading 5MB/20MB, 2MB/s, 8s left`; undefined where no layer is counted.   @param overall the engine's own sum, where it tells one */
export function formatOverall(rows: readonly CountedLayer[], overall?: Overall): string | undefined {
  const layers = rows.filter(({ status }) => counted.test(status))
  if (layers.length === 0) return undefined
  const done = layers.filter(({ status }) => finished.test(status)).length
  const bytes = overall ? formatDownload(overall) : formatMoving(layers)
  return `Total: ${done}/${layers.length} layers${bytes}`
}

function formatDownload({ current, total, bytesPerSecond, remainingSeconds }: Overall): string {
  if (current >= total) return `, ${formatBytes(total)} downloaded`
  const rate = bytesPerSecond === undefined ? '' : `, ${formatBytes(bytesPerSecond)}/s`
  const left = remainingSeconds === undefined ? '' : `, ${formatSeconds(remainingSeconds)} left`
  return `, downloading ${formatBytes(current)}/${formatBytes(total)}${rate}${left}`
}

/** Of an engine that tells no sum: what moves just then. */
function formatMoving(layers: readonly CountedLayer[]): string {
  const moving = layers.filter(({ status }) => status === 'Downloading' || status === 'Pushing')
  const current = sum(moving.map((row) => row.current))
  const total = sum(moving.map((row) => row.total))
  return total > 0 ? `, ${moving[0]?.status.toLowerCase()} ${formatBytes(current)}/${formatBytes(total)}` : ''
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${twoDigits(seconds % 60)}s`
  return `${Math.floor(minutes / 60)}h${twoDigits(minutes % 60)}m`
}

function twoDigits(value: number): string {
  return `${value}`.padStart(2, '0')
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
