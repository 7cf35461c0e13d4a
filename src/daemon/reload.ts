import { messageOf } from '#base/errors.ts'
import type { AdjustableLogger } from '#base/log.ts'
import type { Engine } from '#engine/engine.ts'
import { parseFlags } from './flags.ts'

interface Reloading {
  /** The words behind `daemon`, which count as at start. */
  readonly argv: readonly string[]
  readonly engine: Engine
  readonly log: AdjustableLogger
}

/** At SIGHUP the configuration is read again. A file with anything wrong in it changes nothing. */
export function reloadOnHangup(reloading: Reloading): Disposable {
  const onHangup = () => reload(reloading)
  process.on('SIGHUP', onHangup)
  return { [Symbol.dispose]: () => void process.off('SIGHUP', onHangup) }
}

function reload({ argv, engine, log }: Reloading): void {
  log.info({}, 'Got signal to reload configuration')
  try {
    const asked = parseFlags(argv)
    if (asked.kind === 'help') return
    const later = engine.system.reload(asked.config)
    log.level = asked.config.logLevel
    if (later.length > 0) log.warn({ keys: later.join(' ') }, 'settings that have changed count only after a restart')
    log.info({}, 'Reloaded configuration')
  } catch (error) {
    log.error({ error: messageOf(error) }, 'Error reloading configuration')
  }
}
