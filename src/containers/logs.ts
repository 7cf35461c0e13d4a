import { invalid, notImplemented } from '#base/errors.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'
import { isRunning } from './lifecycle.ts'
import { isReadable } from './logs/log-options.ts'
import { readLog } from './logs/log-reader.ts'
import type { LogEntry, LogRequest } from './requests.ts'

/** The log of the container; with `follow` also what comes, until it ends.   @throws `not-found`, `invalid` in Docker's words */
export function logs(
  context: Pick<ContainerContext, 'store' | 'exits' | 'clock' | 'paths'>,
  name: string,
  { request, signal }: { request: LogRequest; signal: AbortSignal },
): AsyncIterable<readonly LogEntry[]> {
  const container = context.store.get(name)
  if (!request.stdout && !request.stderr) throw invalid('Bad parameters: you must choose at least one stream')
  if (!isReadable(container.host.logConfig)) {
    throw notImplemented('configured logging driver does not support reading')
  }
  const follow =
    request.follow && isRunning(container) ? { ended: endOf(context, container, { request, signal }) } : undefined
  return readLog(context.paths.log(container.id), { ...request, follow, cancelled: signal })
}

/** Aborts at the container's next exit, or at `until`. */
function endOf(
  { exits, clock }: Pick<ContainerContext, 'exits' | 'clock'>,
  { id }: Container,
  { request: { until }, signal }: { request: LogRequest; signal: AbortSignal },
): AbortSignal {
  const ended = new AbortController()
  void exits.next(id, 'exit', signal).then(() => ended.abort())
  if (until !== undefined) {
    const ms = Number((until - clock.nowNanos()) / 1_000_000n)
    if (ms <= 0) ended.abort()
    else if (ms < 2 ** 31) setTimeout(() => ended.abort(), ms + 1).unref()
  }
  return ended.signal
}
