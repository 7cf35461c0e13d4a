import type { Signals } from '../cli.ts'

/** The part of the process that signals need; tests pass an EventEmitter. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
}

export function signalsOf(source: SignalSource): Signals {
  return {
    listen(signals, listener) {
      for (const signal of signals) source.on(signal, listener)
      return {
        [Symbol.dispose]() {
          for (const signal of signals) source.off(signal, listener)
        },
      }
    },
  }
}

/** What a container gets when we get it. SIGCHLD, SIGPIPE and the stop signals of a terminal are ours. */
export const proxiedSignals: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGWINCH',
  'SIGIO',
]
