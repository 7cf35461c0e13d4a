/** One row of the runtime's table: peers, ours, and the most (or, for a rate, the least) that ours may be. */
export interface RuntimeRow {
  readonly what: string
  readonly unit: 'ms' | 'kB' | 'MB/s'
  readonly peers: Readonly<Record<string, number>>
  readonly ours: Readonly<Record<string, number>>
  /** By the name of the column of ours. */
  readonly budgets: Readonly<Record<string, number>>
}

const figure = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(value < 100 ? 2 : 0))

/** "what, column: figure, more than budget" for each figure that misses its budget. */
export function misses(rows: readonly RuntimeRow[]): string[] {
  return rows.flatMap(({ what, unit, ours, budgets }) =>
    Object.entries(budgets).flatMap(([column, budget]) => {
      const value = ours[column] ?? Number.NaN
      const within = unit === 'MB/s' ? value >= budget : value <= budget
      return within
        ? []
        : [`${what}, ${column}: ${figure(value)} ${unit}, ${unit === 'MB/s' ? 'less' : 'more'} than ${budget}`]
    }),
  )
}

export function render(rows: readonly RuntimeRow[]): string {
  const lines = rows.map(({ what, unit, peers, ours, budgets }) => {
    const sign = unit === 'MB/s' ? '≥' : '≤'
    const all = { ...peers, ...ours }
    const cells = Object.entries(all).map(([name, value]) => {
      const budget = budgets[name]
      return `${name} ${figure(value)}${budget === undefined ? '' : ` (${sign} ${budget})`}`
    })
    return [`${what}, ${unit}`, ...cells]
  })
  const widths: number[] = []
  for (const line of lines)
    for (const [index, cell] of line.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
