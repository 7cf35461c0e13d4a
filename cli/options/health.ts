import { invalid } from '#base/errors.ts'
import type { HealthConfig } from '#contract/types.gen.ts'

export interface HealthFlags {
  readonly command: string
  readonly interval: number | undefined
  readonly timeout: number | undefined
  readonly startPeriod: number | undefined
  readonly startInterval: number | undefined
  readonly retries: number | undefined
  readonly none: boolean
}

/** The probe as the flags have it (durations in nanoseconds), or undefined to keep the image's.   @throws `invalid` */
export function toHealthConfig(flags: HealthFlags): HealthConfig | undefined {
  const { command, interval = 0, timeout = 0, startPeriod = 0, startInterval = 0, retries = 0, none } = flags
  const given =
    command !== '' || interval !== 0 || timeout !== 0 || startPeriod !== 0 || startInterval !== 0 || retries !== 0
  if (none) {
    if (given) throw invalid('--no-healthcheck conflicts with --health-* options')
    return { Test: ['NONE'] }
  }
  if (!given) return undefined
  if (interval < 0) throw invalid('--health-interval cannot be negative')
  if (timeout < 0) throw invalid('--health-timeout cannot be negative')
  if (retries < 0) throw invalid('--health-retries cannot be negative')
  if (startPeriod < 0) throw invalid('--health-start-period cannot be negative')
  if (startInterval < 0) throw invalid('--health-start-interval cannot be negative')
  return {
    ...(command !== '' && { Test: ['CMD-SHELL', command] }),
    ...(interval !== 0 && { Interval: interval }),
    ...(timeout !== 0 && { Timeout: timeout }),
    ...(startPeriod !== 0 && { StartPeriod: startPeriod }),
    ...(startInterval !== 0 && { StartInterval: startInterval }),
    ...(retries !== 0 && { Retries: retries }),
  }
}
