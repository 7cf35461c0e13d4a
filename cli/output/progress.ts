import { BerthError } from '#base/errors.ts'
import { formatBytes } from '#base/quantity.ts'
import type { ProgressMessage } from '../client/wire.ts'
import type { Output } from '../terminal/streams.ts'
import { type CountedLayer, formatOverall, type Overall } from './progress-total.ts'

interface Row extends CountedLayer {
  readonly id: string
  status: string
  current: number
  total: number
  moving: boolean
}

const frameMs = 50

/**
 * Shows the engine's progress messages: on a terminal a line per layer with a bar and one line for the whole, redrawn in
 * place; elsewhere one line per change of status.   @returns the values of `aux` messages
 * @throws BerthError when the engine reports an error in the stream
 */
export async function showProgress(
  messages: AsyncIterable<ProgressMessage>,
  output: Output,
  clock: () => number = () => performance.now(),
): Promise<unknown[]> {
  const aux: unknown[] = []
  const screen = output.isTerminal ? new Screen(output, clock) : undefined
  for await (const message of messages) {
    const failure = message.errorDetail?.message ?? message.error
    if (failure !== undefined) {
      await screen?.settle()
      throw new BerthError('internal', failure, { code: 'engine' })
    }
    if (message.aux !== undefined) aux.push(message.aux)
    else if (message.stream !== undefined) {
      await screen?.settle()
      await output.write(message.stream)
    } else if (screen && message.id !== undefined) await screen.update(message.id, message)
    else if (message.status !== undefined) {
      await screen?.settle()
      await output.write(formatPlain(message) ?? '')
    }
  }
  await screen?.settle()
  return aux
}

/** A line for a file or a pipe; messages that only count bytes have none. */
function formatPlain({ id, status = '', progressDetail }: ProgressMessage): string | undefined {
  if (progressDetail?.current !== undefined && progressDetail.current > 0) return undefined
  return `${id === undefined ? '' : `${id}: `}${status}\n`
}

/** The moving part of the terminal. */
class Screen {
  readonly #output: Output
  readonly #clock: () => number
  #rows: Row[] = []
  #drawn = 0
  #lastDraw = Number.NEGATIVE_INFINITY
  #overall: Overall | undefined

  constructor(output: Output, clock: () => number) {
    this.#output = output
    this.#clock = clock
  }

  async update(id: string, { status = '', progressDetail = {}, overall }: ProgressMessage): Promise<void> {
    this.#overall = overall ?? this.#overall
    let row = this.#rows.find((one) => one.id === id)
    if (!row) {
      row = { id, status: '', current: 0, total: 0, moving: false }
      this.#rows.push(row)
    }
    const changed = row.status !== status
    row.status = status
    row.moving = progressDetail.current !== undefined
    row.current = progressDetail.current ?? row.current
    row.total = progressDetail.total ?? row.total
    if (changed || this.#clock() - this.#lastDraw >= frameMs) await this.#draw(true)
  }

  /** Leaves the rows where they are, without the line for the whole; what comes next is written below. */
  async settle(): Promise<void> {
    if (this.#rows.length > 0) await this.#draw(false)
    this.#rows = []
    this.#overall = undefined
    this.#drawn = 0
  }

  async #draw(overall: boolean): Promise<void> {
    this.#lastDraw = this.#clock()
    const room = Math.max(this.#output.rows - 2, 1)
    // The cursor cannot go above the screen: while it moves, only the last rows that fit are shown.
    const rows = overall ? this.#rows.slice(-room) : this.#rows
    const width = this.#output.columns
    const lines = rows.map((row) => formatRow(row, width))
    const total = overall ? formatOverall(this.#rows, this.#overall) : undefined
    if (total !== undefined) lines.push(total.slice(0, width - 1))
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : ''
    await this.#output.write(`${up}\r\x1b[J${lines.map((line) => `${line}\n`).join('')}`)
    this.#drawn = lines.length
  }
}

const barWidth = 50

function formatRow({ id, status, current, total, moving }: Row, width: number): string {
  const text = `${id}: ${status}`
  if (!moving || current <= 0) return text.slice(0, width - 1)
  const numbers = total > 0 ? `${formatBytes(current)}/${formatBytes(total)}` : formatBytes(current)
  if (total <= 0 || width <= 110) return `${text}  ${numbers}`.slice(0, width - 1)
  const filled = Math.min(Math.trunc((current / total) * barWidth), barWidth)
  const head = filled < barWidth ? '>' : ''
  return `${text}  [${'='.repeat(filled)}${head}${' '.repeat(barWidth - filled - head.length)}]  ${numbers}`.slice(
    0,
    width - 1,
  )
}
