import { invalid } from '#base/errors.ts'
import type { Container, Healthcheck } from '../container.ts'
import { type PortTarget, parseHttpTarget, parseTcpTarget } from './port-target.ts'

/** How a container is probed, with defaults filled in. */
export interface HealthCheck {
  readonly probe: { readonly kind: 'command'; readonly words: readonly string[] } | PortTarget
  /** From the end of one probe to the start of the next, and from the container's start to the first. */
  readonly intervalMs: number
  readonly timeoutMs: number
  /** While it lasts, failures of a container that has not been healthy yet do not count. */
  readonly startPeriodMs: number
  /** The interval in that time. */
  readonly startIntervalMs: number
  /** Failures in a row that make it unhealthy. */
  readonly retries: number
}

const defaultIntervalMs = 30_000
const defaultTimeoutMs = 30_000
const defaultStartIntervalMs = 5000
const defaultRetries = 3
const nanosPerMs = 1_000_000

/** Undefined: it is not probed. An unknown kind of test, as images of other engines have them, is none, as with Docker. */
export function healthCheckOf({ config }: Pick<Container, 'config'>): HealthCheck | undefined {
  const { healthcheck } = config
  const probe = probeOf(healthcheck?.Test ?? [], config.shell)
  if (!probe) return undefined
  const ms = (nanos: number | undefined, usual: number) => (nanos ? nanos / nanosPerMs : usual)
  return {
    probe,
    intervalMs: ms(healthcheck?.Interval, defaultIntervalMs),
    timeoutMs: ms(healthcheck?.Timeout, defaultTimeoutMs),
    startPeriodMs: ms(healthcheck?.StartPeriod, 0),
    startIntervalMs: ms(healthcheck?.StartInterval, defaultStartIntervalMs),
    retries: healthcheck?.Retries || defaultRetries,
  }
}

function probeOf(
  [kind, ...words]: readonly string[],
  shell: readonly string[] | undefined,
): HealthCheck['probe'] | undefined {
  switch (kind) {
    case 'CMD':
      return { kind: 'command', words }
    case 'CMD-SHELL':
      return { kind: 'command', words: [...(shell?.length ? shell : ['/bin/sh', '-c']), ...words] }
    case 'HTTP':
      return parseHttpTarget(words)
    case 'TCP':
      return parseTcpTarget(words)
    default:
      return undefined
  }
}

/** @throws `invalid` in Docker's words */
export function validateHealthcheck({ config }: Pick<Container, 'config'>): void {
  const { healthcheck } = config
  if (!healthcheck) return
  for (const name of ['Interval', 'Timeout'] as const) checkTime(name, healthcheck[name])
  if ((healthcheck.Retries ?? 0) < 0) throw invalid('Retries in Healthcheck cannot be negative')
  for (const name of ['StartPeriod', 'StartInterval'] as const) checkTime(name, healthcheck[name])
  healthCheckOf({ config })
}

function checkTime(name: string, nanos = 0): void {
  if (nanos !== 0 && nanos < nanosPerMs) throw invalid(`${name} in Healthcheck cannot be less than 1ms`)
}

/** What an image says, as far as it makes sense: its bytes are anybody's. */
function readImageHealthcheck(given: object | undefined): Healthcheck | undefined {
  if (given === undefined) return undefined
  const fields = new Map<string, unknown>(Object.entries(given))
  const test = fields.get('Test')
  const count = (name: string) => {
    const value = fields.get(name)
    return Number.isSafeInteger(value) ? { [name]: value } : {}
  }
  return {
    ...(Array.isArray(test) && test.every((word) => typeof word === 'string') && { Test: test }),
    ...count('Interval'),
    ...count('Timeout'),
    ...count('StartPeriod'),
    ...count('StartInterval'),
    ...count('Retries'),
  }
}

/**
 * The request's word goes before the image's, field by field, as with Docker. An image chooses commands inside the container only: a test of
 * any other kind is left out, for the engine itself would carry it out.
 */
export function mergeHealthcheck(asked: Healthcheck | undefined, image: object | undefined): Healthcheck | undefined {
  const found = readImageHealthcheck(image)
  if (!found) return asked
  const { Test, ...times } = found
  const test = Test && ['CMD', 'CMD-SHELL', 'NONE'].includes(Test[0] ?? '') ? { Test } : {}
  if (!asked) return { ...test, ...times }
  const set = Object.entries(asked).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value !== 0))
  return { ...test, ...times, ...Object.fromEntries(set) }
}
