import { internal, isKind, messageOf } from '#base/errors.ts'
import type { Container } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import { type LogFacts, logFactsOf } from './attributes.ts'
import { readPosition, writePosition } from './position.ts'
import { type Progress, readOn } from './read-on.ts'
import type { DatagramSockets, LogSender, RemoteDriver } from './remote/driver.ts'
import { remoteDriver } from './remote/drivers.ts'

export interface ForwarderPorts extends Pick<ContainerContext, 'clock' | 'log' | 'paths' | 'background'> {
  readonly sockets: DatagramSockets
}

const firstRetryMs = 500
const lastRetryMs = 30_000
/** How long a container that is removed waits for a collector, in the background. */
const farewellMs = 5000
/** A position is written so often at most: entries since then are sent twice after a crash. */
const positionEveryMs = 1000

interface Forwarding {
  /** Of the pass through the log that goes on: the container has ended, and all that is there is sent. */
  ended: AbortController
  readonly cancelled: AbortController
  isRunning: boolean
  /** The container was started or has ended since the pass began: another one follows. */
  hasChanged: boolean
  done: Promise<void>
}

/**
 * Sends what containers write to collectors, out of the file that their shim writes: neither a dead collector nor a dead daemon stops a
 * container, and the next daemon goes on where this one ended. Entries go at least once; those that rotation took meanwhile are lost.
 */
export class LogForwarders {
  readonly #ports: ForwarderPorts
  readonly #running = new Map<string, Forwarding>()

  constructor(ports: ForwarderPorts) {
    this.#ports = ports
  }

  /** Before a start.   @throws `internal` in Docker's words where the host lacks what the driver needs */
  check({ host }: Container): void {
    try {
      remoteDriver(host.logConfig.driver)?.checkHost?.()
    } catch (cause) {
      throw internal(`failed to create task for container: failed to initialize logging driver: ${messageOf(cause)}`, {
        cause,
      })
    }
  }

  /** @param isOver it does not run: only what is left from its last run is sent */
  begin(container: Container, { isOver }: { isOver: boolean }): void {
    const driver = remoteDriver(container.host.logConfig.driver)
    if (!driver) return
    const current = this.#running.get(container.id)
    if (current) {
      // All of the run before is not sent yet.
      current.isRunning ||= !isOver
      current.hasChanged = true
      return
    }
    const forwarding: Forwarding = {
      ended: new AbortController(),
      cancelled: new AbortController(),
      isRunning: !isOver,
      hasChanged: false,
      done: Promise.resolve(),
    }
    this.#running.set(container.id, forwarding)
    const { promise, resolve } = Promise.withResolvers<void>()
    forwarding.done = promise
    this.#ports.background.run('sending a log', async () => {
      try {
        await this.#run(container, driver, forwarding)
      } finally {
        this.#running.delete(container.id)
        resolve()
      }
    })
  }

  /** The container has ended: nothing more is written. */
  end(id: string): void {
    const forwarding = this.#running.get(id)
    if (!forwarding) return
    forwarding.isRunning = false
    forwarding.hasChanged = true
    forwarding.ended.abort()
  }

  /** Resolves when all is sent, or nobody takes it. */
  async finish(id: string): Promise<void> {
    const forwarding = this.#running.get(id)
    if (!forwarding) return
    this.end(id)
    const waited = new AbortController()
    const { clock, log, background } = this.#ports
    const signal = AbortSignal.any([waited.signal, background.signal])
    const late = clock.sleep(farewellMs, { signal }).then(
      () =>
        log.warn(
          { container: id },
          'a removed container’s last output was not taken by its log’s collector: it is lost',
        ),
      () => undefined,
    )
    await Promise.race([forwarding.done, late])
    waited.abort()
    forwarding.cancelled.abort()
    await forwarding.done
  }

  async #run(container: Container, driver: RemoteDriver, forwarding: Forwarding): Promise<void> {
    const { background, paths, sockets } = this.#ports
    const facts: LogFacts = logFactsOf(container)
    const cancelled = AbortSignal.any([forwarding.cancelled.signal, background.signal])
    const link = new Link(() => driver.open({ options: container.host.logConfig.options, facts, sockets }), this.#ports)
    const places = { log: paths.log(container.id), position: paths.logPosition(container.id) }
    do {
      forwarding.hasChanged = false
      forwarding.ended = new AbortController()
      if (!forwarding.isRunning) forwarding.ended.abort()
      await this.#forward(places, { link, ended: forwarding.ended.signal, cancelled })
    } while (forwarding.hasChanged && !cancelled.aborted)
    link.close()
  }

  async #forward(
    places: { readonly log: string; readonly position: string },
    { link, ended, cancelled }: { link: Link; ended: AbortSignal; cancelled: AbortSignal },
  ): Promise<void> {
    let unsaved: Progress | undefined
    let savedAt = 0
    const save = async () => {
      if (unsaved) await writePosition(places.position, unsaved.position)
      unsaved = undefined
      savedAt = performance.now()
    }
    const from = await readPosition(places.position)
    try {
      for await (const progress of readOn(places.log, { from, ended, cancelled })) {
        if (progress.entries.length > 0 && !(await link.send(progress, cancelled))) break
        unsaved = progress
        if (performance.now() - savedAt > positionEveryMs) await save()
      }
    } finally {
      // A removed container has no directory any more.
      await save().catch(() => undefined)
    }
  }
}

/** To a collector that may be gone for a while. */
class Link {
  readonly #open: () => LogSender
  readonly #ports: Pick<ForwarderPorts, 'clock' | 'log'>
  #sender: LogSender | undefined

  constructor(open: () => LogSender, ports: Pick<ForwarderPorts, 'clock' | 'log'>) {
    this.#open = open
    this.#ports = ports
  }

  /** @returns false when it was cancelled before they were sent */
  async send({ entries }: Progress, cancelled: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#ports
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(2 * retryMs, lastRetryMs)) {
      try {
        this.#sender ??= this.#open()
        await this.#sender.send(entries, cancelled)
        return true
      } catch (error) {
        this.close()
        if (cancelled.aborted) return false
        if (retryMs === firstRetryMs)
          log.warn({ error: messageOf(error) }, 'a log’s collector does not take it: retrying')
      }
      try {
        await clock.sleep(retryMs, { signal: cancelled })
      } catch (error) {
        if (isKind(error, 'cancelled')) return false
        throw error
      }
    }
  }

  close(): void {
    this.#sender?.close()
    this.#sender = undefined
  }
}
