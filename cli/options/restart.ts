import { invalid } from '#base/errors.ts'
import type { RestartPolicy } from '#contract/types.gen.ts'

/** `no`, `always`, `unless-stopped`, `on-failure[:N]`; the engine judges the name.   @throws `invalid` */
export function parseRestart(text: string): RestartPolicy {
  if (text === '') return { Name: 'no', MaximumRetryCount: 0 }
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  const count = colon < 0 ? undefined : text.slice(colon + 1)
  if (name === '') throw invalid('invalid restart policy format: no policy provided before colon')
  if (count === undefined) return { Name: name, MaximumRetryCount: 0 }
  if (!/^[+-]?\d+$/.test(count)) throw invalid('invalid restart policy format: maximum retry count must be an integer')
  return { Name: name, MaximumRetryCount: Number(count) }
}
