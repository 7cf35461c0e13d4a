import { constants } from 'node:os'
import { invalid } from '#base/errors.ts'

/** The highest real-time signal: SIGRTMAX. */
const last = 64
const firstRealtime = 34

/** "SIGTERM", "term", "15", "SIGRTMIN+3" → number.   @throws `invalid` in Docker's words */
export function parseSignal(text: string): number {
  const number = findSignal(text)
  if (number === undefined) {
    throw invalid(
      isBeyondLinux(text) ? `the linux daemon does not support signal ${Number(text)}` : `invalid signal: ${text}`,
    )
  }
  return number
}

/** A number that some system may have; to Docker that is any but 0. */
function isBeyondLinux(text: string): boolean {
  const number = /^-?\d+$/.test(text) ? Number(text) : 0
  return Number.isSafeInteger(number) && (number < 0 || number > last)
}

function findSignal(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text)
    return number >= 1 && number <= last ? number : undefined
  }
  const name = text.toUpperCase().replace(/^SIG/, '')
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name)
  if (realtime) {
    const offset = Number(realtime[3] ?? 0) * (realtime[2] === '-' ? -1 : 1)
    const number = (realtime[1] === 'MIN' ? firstRealtime : last) + offset
    return number >= firstRealtime && number <= last ? number : undefined
  }
  const known: Readonly<Record<string, number>> = constants.signals
  return Object.hasOwn(known, `SIG${name}`) ? known[`SIG${name}`] : undefined
}
