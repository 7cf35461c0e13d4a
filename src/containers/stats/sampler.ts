import { setImmediate } from 'node:timers/promises'
import type { Clock } from '#base/clock.ts'
import { isKind } from '#base/errors.ts'
import type { CgroupStats } from '#runtime/cgroup.ts'
import type { Container } from '../container.ts'
import type { CgroupControl } from '../ports.ts'
import { type CgroupDriver, cgroupPathOf } from '../spec/cgroups.ts'
import { readHostCpu, type Sample } from './sample.ts'

/** Below this, ticks of 10 ms are too coarse for a share of the processors. */
const shortestSpanNanos = 500_000_000n
const idleIntervalMs = 10_000
/** So that a thousand containers take no more of the processor than thirty. */
const idleMsPerContainer = 300
const askedIntervalMs = 1000
const askedForNanos = 30_000_000_000n

interface Marks {
  /** Of which run they are. */
  readonly startedAt: bigint
  readonly latest: Sample
  readonly before: Sample | undefined
}

export interface SamplerPorts {
  readonly cgroups: CgroupControl
  readonly cgroupDriver: CgroupDriver
  readonly clock: Clock
}

/**
 * Remembers what running containers had used a while ago, so that whoever asks once gets a true share of the processors
 * without waiting for a second sample.
 */
export class StatsSampler {
  readonly #ports: SamplerPorts
  readonly #marks = new Map<string, Marks>()
  #askedAt = 0n

  constructor(ports: SamplerPorts) {
    this.#ports = ports
  }

  /** Now; undefined when the container has ended.   @param asked somebody wants to see it: further samples come more often */
  take(container: Container, asked = true): Sample | undefined {
    const readAt = this.#ports.clock.nowNanos()
    if (asked) this.#askedAt = readAt
    const counters = this.#read(container)
    if (!counters) return undefined
    const sample = { readAt, counters, host: readHostCpu() }
    this.#keep(container, sample)
    return sample
  }

  /** An earlier sample of the same run to compare with. */
  before(container: Container, sample: Sample): Sample {
    const marks = this.#marks.get(container.id)
    const kept = marks?.startedAt === container.state.startedAt ? [marks?.latest, marks?.before] : []
    const found = kept.find((one) => one !== undefined && sample.readAt - one.readAt >= shortestSpanNanos)
    return found ?? atStart(container, sample)
  }

  /** Samples what runs until the signal: often while anybody asks, else seldom. */
  async run(running: () => readonly Container[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const containers = running()
      for (const container of containers) {
        this.#takeQuietly(container)
        // The requests that wait come between.
        await setImmediate()
      }
      this.#forget(new Set(containers.map(({ id }) => id)))
      await this.#ports.clock.sleep(this.#intervalMs(containers.length), { signal }).catch(() => undefined)
    }
  }

  /** What is wrong with the counters is told to whoever asks for them. */
  #takeQuietly(container: Container): void {
    try {
      this.take(container, false)
    } catch {}
  }

  #intervalMs(count: number): number {
    const isAsked = this.#ports.clock.nowNanos() - this.#askedAt < askedForNanos
    return isAsked ? askedIntervalMs : Math.max(idleIntervalMs, count * idleMsPerContainer)
  }

  #read(container: Container): CgroupStats | undefined {
    try {
      return this.#ports.cgroups.stats(cgroupPathOf(container, this.#ports.cgroupDriver))
    } catch (error) {
      if (isKind(error, 'not-found')) return undefined
      throw error
    }
  }

  #keep({ id, state: { startedAt = 0n } }: Container, sample: Sample): void {
    const marks = this.#marks.get(id)
    if (marks?.startedAt !== startedAt) {
      this.#marks.set(id, { startedAt, latest: sample, before: undefined })
    } else if (sample.readAt - marks.latest.readAt >= shortestSpanNanos) {
      this.#marks.set(id, { startedAt, latest: sample, before: marks.latest })
    }
  }

  #forget(running: ReadonlySet<string>): void {
    for (const id of this.#marks.keys()) if (!running.has(id)) this.#marks.delete(id)
  }
}

/** At its start a container had used nothing, and the host's counter runs at one second a second for each processor. */
function atStart({ state: { startedAt = 0n } }: Container, { readAt, host, counters }: Sample): Sample {
  const elapsed = readAt > startedAt ? Number(readAt - startedAt) : 0
  return {
    readAt: readAt > startedAt ? startedAt : readAt,
    counters: {
      cpu: { total: 0, user: 0, system: 0, ...(counters.cpu.perCpu && { perCpu: counters.cpu.perCpu.map(() => 0) }) },
      memory: { stat: {} },
      pids: {},
      block: [],
      hugepages: [],
    },
    host: { total: Math.max(0, host.total - elapsed * host.online), online: host.online },
  }
}
