import type { Logger } from '#base/log.ts'

/** Fulfilled by the first SIGTERM or SIGINT; the third one ends the process at once, with nothing put in order. */
export function untilStopped(log: Logger): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let count = 0
  const stop = (signal: NodeJS.Signals) => {
    count += 1
    if (count === 1) resolve(signal)
    if (count === 2) log.warn({ signal }, 'stopping already; once more ends the daemon at once')
    if (count >= 3) process.exit(1)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // A terminal that goes away, and a client that does, are no reasons to end; reload.ts acts on the first.
  process.on('SIGHUP', () => undefined)
  process.on('SIGPIPE', () => undefined)
  return promise
}
