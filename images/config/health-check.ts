import { invalid } from '#base/errors.ts'
import { type CommandForm, commandWords } from './command-form.ts'

const flagPattern = /^--([\w-]+)(?:=(\S*))?\s*/

/** What stands behind HEALTHCHECK, as an image config has it: times in nanoseconds.   @throws `invalid` in Docker's words */
export function parseHealthCheck(text: string): object {
  if (text === '') throw invalid('HEALTHCHECK requires at least one argument')
  const flags = new Map<string, string>()
  let rest = text
  for (let match = flagPattern.exec(rest); match; match = flagPattern.exec(rest)) {
    const [whole, name = '', value = ''] = match
    if (!['interval', 'timeout', 'start-period', 'start-interval', 'retries'].includes(name)) {
      throw invalid(`unknown flag: --${name}`)
    }
    flags.set(name, value)
    rest = rest.slice(whole.length)
  }
  const [, type = '', command = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? []
  if (type.toUpperCase() === 'NONE') {
    if (command !== '') throw invalid('HEALTHCHECK NONE takes no arguments')
    return { Test: ['NONE'] }
  }
  if (type.toUpperCase() !== 'CMD') throw invalid(`Unknown type "${type.toUpperCase()}" in HEALTHCHECK (try CMD)`)
  const parsed: CommandForm = commandWords(command)
  if (parsed.words.length === 0) throw invalid('Missing command after HEALTHCHECK CMD')
  const times = {
    Interval: nanosOf(flags.get('interval'), 'Interval', 'interval'),
    Timeout: nanosOf(flags.get('timeout'), 'Interval', 'timeout'),
    StartPeriod: nanosOf(flags.get('start-period'), 'Interval', 'start-period'),
    StartInterval: nanosOf(flags.get('start-interval'), 'Interval', 'start-interval'),
    Retries: retriesOf(flags.get('retries')),
  }
  return {
    Test: [parsed.form === 'exec' ? 'CMD' : 'CMD-SHELL', ...parsed.words],
    ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0)),
  }
}

const unitNanos: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** A duration as Go writes it; 0 stands for what the engine takes by itself. */
function nanosOf(text: string | undefined, what: string, name: string): number {
  if (text === undefined || text === '') return 0
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)]
  if (text === '0') return 0
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw invalid(`time: invalid duration ${JSON.stringify(text)}`)
  }
  const nanos = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitNanos[unit] ?? 0), 0)
  if (nanos > 0 && nanos < 1e6) throw invalid(`${what} ${JSON.stringify(name)} cannot be less than 1ms`)
  return Math.trunc(nanos)
}

function retriesOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const count = Number(text)
  if (count < 0) throw invalid(`--retries cannot be negative (${count})`)
  return count
}
