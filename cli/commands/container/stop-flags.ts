import { integer, text } from '../../parsing/flag.ts'

/** How a container is asked to end: the flags of stop and restart. */
export const stopFlags = {
  signal: text('signal', 'Signal to send', { short: 's' }),
  timeout: integer('timeout', 'Seconds from asking to killing', { short: 't' }),
  time: { ...integer('time', 'Seconds from asking to killing'), hidden: true },
}

/** They as the API's query; `time` is the older spelling. */
export function stopQuery(flags: {
  readonly signal: string
  readonly timeout: number | undefined
  readonly time: number | undefined
}): { signal: string | undefined; t: number | undefined } {
  return { signal: flags.signal === '' ? undefined : flags.signal, t: flags.timeout ?? flags.time }
}
