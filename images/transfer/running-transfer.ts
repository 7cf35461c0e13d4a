import { onAbort } from '#base/abort.ts'
import { type Line, ProgressFeed } from './progress-feed.ts'

/** A pull, push, load or import that is under way. */
export interface RunningTransfer<P extends Line> {
  /** Throws at its end what the work failed of. */
  readonly progress: AsyncIterable<P>
  /** Never rejects: everything has ended and is cleaned up. */
  readonly done: Promise<void>
}

/** Starts work that tells of itself. It goes on without a reader; its signal aborts with the given one, and when the reader leaves early. */
export function startTransfer<P extends Line>(
  signal: AbortSignal,
  work: (feed: ProgressFeed<P>, signal: AbortSignal) => Promise<void>,
): RunningTransfer<P> {
  const controller = new AbortController()
  const listening = onAbort(signal, () => controller.abort(signal.reason))
  const feed = new ProgressFeed<P>(async () => {
    controller.abort()
    await done
  })
  const done = work(feed, controller.signal)
    .then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    .then((failure) => {
      listening[Symbol.dispose]()
      feed.end(failure)
    })
  return { progress: feed, done }
}
