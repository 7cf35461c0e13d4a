/** One figure beside what it is held against. */
export interface Row {
  readonly name: string
  readonly ours: number
  readonly peer: { readonly name: string; readonly value: number } | undefined
  readonly unit: 'ms' | 'kB' | 'MB'
  /** With a peer: the largest ratio ours/peer; without: the largest value. Infinity: only told. */
  readonly budget: number
}

export const isWithin = ({ ours, peer, budget }: Row): boolean => (peer ? ours / peer.value : ours) <= budget

/** A line for each row, and for each miss a sentence. */
export function renderRows(rows: readonly Row[]): string {
  const figure = (value: number, unit: string) => `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`
  const lines = rows.map((row) => {
    const { name, ours, peer, unit, budget } = row
    const limit = budget === Number.POSITIVE_INFINITY ? '' : ` (≤ ${budget})`
    const ratio = peer ? `${(ours / peer.value).toFixed(3)}${limit}` : limit === '' ? '–' : `≤ ${figure(budget, unit)}`
    return [
      name,
      figure(ours, unit),
      peer ? `${peer.name} ${figure(peer.value, unit)}` : '–',
      ratio,
      isWithin(row) ? 'ok' : 'MISSED',
    ]
  })
  const table = [['what', 'ours', 'peer', 'ratio (budget)', ''], ...lines]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? []
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A sentence for each row that misses its budget. */
export function missesOf(rows: readonly Row[]): string[] {
  return rows
    .filter((row) => !isWithin(row))
    .map(({ name, ours, peer, budget }) =>
      peer
        ? `${name} is ${(ours / peer.value).toFixed(3)} of ${peer.name}, more than ${budget}`
        : `${name} is ${ours.toFixed(1)}, more than ${budget}`,
    )
}
