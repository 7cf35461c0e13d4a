import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import type { Health, Healthcheck, HealthResult } from '#containers/container.ts'
import { type HealthCheck, healthCheckOf, mergeHealthcheck, validateHealthcheck } from '#containers/health/check.ts'
import { ProbeOutput, timeoutText } from '#containers/health/output.ts'
import { requestedAction, requestedHealthcheck } from '#containers/health/requested.ts'
import { hasFailedTooOften, healthAfter, startingHealth, unprobedHealth, waitMs } from '#containers/health/state.ts'
import { parseContainerConfig } from '../../../src/api/parse/container-config.ts'

const second = 1_000_000_000n
const startedAt = 1_700_000_000n * second
const configOf = (Healthcheck: Healthcheck, more: object = {}) =>
  parseContainerConfig({ Image: 'bb', Healthcheck, ...more })
const checkOf = (healthcheck: Healthcheck, more: object = {}) => healthCheckOf({ config: configOf(healthcheck, more) })

const patient: HealthCheck = {
  probe: { kind: 'command', words: ['true'] },
  intervalMs: 30_000,
  timeoutMs: 30_000,
  startPeriodMs: 60_000,
  startIntervalMs: 5000,
  retries: 3,
}
const run = { check: patient, startedAt }

/** A probe that began so many seconds after the start. */
const result = (exitCode: number, after: number): HealthResult => ({
  startedAt: startedAt + BigInt(after) * second,
  endedAt: startedAt + BigInt(after) * second,
  exitCode,
  output: '',
})

const healthWith = (results: readonly HealthResult[], check = patient): Health =>
  results.reduce((health, one) => healthAfter(health, one, { check, startedAt }), startingHealth(undefined))

describe('the state', () => {
  test('begins with starting, and one success makes it healthy', () => {
    expect(startingHealth(undefined)).toEqual({ status: 'starting', failingStreak: 0, results: [] })
    expect(healthWith([result(0, 1)])).toMatchObject({ status: 'healthy', failingStreak: 0 })
  })

  test('failures in the start period do not count, those after it do', () => {
    expect(healthWith([1, 20, 40, 59].map((after) => result(1, after)))).toMatchObject({
      status: 'starting',
      failingStreak: 0,
    })
    const late = [60, 90, 120].map((after) => result(1, after))
    expect(healthWith(late.slice(0, 2))).toMatchObject({ status: 'starting', failingStreak: 2 })
    expect(healthWith(late)).toMatchObject({ status: 'unhealthy', failingStreak: 3 })
  })

  test('after a success failures count in the start period too', () => {
    const results = [result(0, 1), result(1, 2), result(-1, 3), result(127, 4)]
    expect(healthWith(results.slice(0, 3))).toMatchObject({ status: 'healthy', failingStreak: 2 })
    expect(healthWith(results)).toMatchObject({ status: 'unhealthy', failingStreak: 3 })
  })

  test('an unhealthy container is healthy again with one success', () => {
    const results = [100, 130, 160, 190].map((after) => result(1, after))
    expect(healthWith(results)).toMatchObject({ status: 'unhealthy', failingStreak: 4 })
    expect(healthWith([...results, result(0, 220)])).toMatchObject({ status: 'healthy', failingStreak: 0 })
  })

  test('the last five results are kept, also over the next start', () => {
    const health = healthWith([1, 2, 3, 4, 5, 6, 7].map((after) => result(0, after)))
    expect(health.results.map((one) => Number((one.startedAt - startedAt) / second))).toEqual([3, 4, 5, 6, 7])
    expect(startingHealth(health)).toEqual({ status: 'starting', failingStreak: 0, results: health.results })
  })

  test('the failure that is one too many is told apart, also after a pause', () => {
    const failures = [100, 130, 160, 190].map((after) => result(1, after))
    const told = (first: Health) => {
      let health = first
      return failures.map((one) => {
        const before = health
        health = healthAfter(before, one, run)
        return hasFailedTooOften(before, health, patient)
      })
    }
    const healthy = healthWith([result(0, 1)])
    expect(told(healthy)).toEqual([false, false, true, false])
    expect(told(unprobedHealth(healthy) ?? healthy)).toEqual([false, false, true, false])
  })

  test('what nobody probes is unhealthy', () => {
    expect(unprobedHealth(healthWith([result(0, 1)]))).toMatchObject({ status: 'unhealthy', failingStreak: 0 })
    expect(unprobedHealth(undefined)).toBeUndefined()
  })
})

describe('the wait for the next probe', () => {
  const starting = startingHealth(undefined)
  const at = (seconds: number) => startedAt + BigInt(seconds) * second

  test.each([
    ['the start interval in the start period', starting, at(0), at(0), 5000],
    ['what is left of it', starting, at(10), at(12), 3000],
    ['the interval after the start period', starting, at(60), at(60), 30_000],
    ['the interval once it is healthy', healthAfter(starting, result(0, 1), run), at(2), at(2), 30_000],
    ['nothing when it is overdue', starting, at(70), at(200), 0],
    ['no more than the interval when the clock was set back', starting, at(100), at(50), 30_000],
  ])('is %s', (_what, health, since, now, ms) => {
    expect(waitMs(health, patient, { startedAt, since, now })).toBe(ms)
  })
})

describe('the settings', () => {
  test('have Docker’s defaults', () => {
    expect(checkOf({ Test: ['CMD', 'true'] })).toEqual({ ...patient, startPeriodMs: 0 })
  })

  test('a shell command runs in the shell of the image', () => {
    expect(checkOf({ Test: ['CMD-SHELL', 'a b'] })?.probe).toEqual({ kind: 'command', words: ['/bin/sh', '-c', 'a b'] })
    const words = checkOf({ Test: ['CMD-SHELL', 'a b'] }, { Shell: ['/bin/ash', '-ec'] })?.probe
    expect(words).toEqual({ kind: 'command', words: ['/bin/ash', '-ec', 'a b'] })
  })

  test.each([[{}], [{ Test: [] }], [{ Test: ['NONE'] }], [{ Test: ['WHATEVER', 'x'] }]])(
    '%j is no check',
    (healthcheck) => {
      expect(checkOf(healthcheck)).toBeUndefined()
    },
  )

  test.each([
    [{ Interval: 1000 }, 'Interval in Healthcheck cannot be less than 1ms'],
    [{ Timeout: -1 }, 'Timeout in Healthcheck cannot be less than 1ms'],
    [{ Retries: -1 }, 'Retries in Healthcheck cannot be negative'],
    [{ StartPeriod: 999_999 }, 'StartPeriod in Healthcheck cannot be less than 1ms'],
    [{ StartInterval: 1 }, 'StartInterval in Healthcheck cannot be less than 1ms'],
  ])('%j is refused', (times, message) => {
    expect(() => validateHealthcheck({ config: configOf({ Test: ['CMD', 'true'], ...times }) })).toThrow(message)
  })

  test('the request’s fields go before the image’s', () => {
    const image = { Test: ['CMD', 'image'], Interval: 5_000_000, Retries: 7 }
    expect(mergeHealthcheck(undefined, image)).toEqual(image)
    expect(mergeHealthcheck({ Test: ['NONE'] }, image)).toEqual({ ...image, Test: ['NONE'] })
    expect(mergeHealthcheck({ Test: [], Interval: 0, Timeout: 9_000_000 }, image)).toEqual({
      ...image,
      Timeout: 9_000_000,
    })
    expect(mergeHealthcheck({ Test: ['CMD', 'mine'] }, undefined)).toEqual({ Test: ['CMD', 'mine'] })
  })

  test('what an image says in other types is passed over', () => {
    const image = { Test: 'true', Interval: '5s', Timeout: 1.5, Retries: [3], StartPeriod: 2_000_000 }
    expect(mergeHealthcheck(undefined, image)).toEqual({ StartPeriod: 2_000_000 })
  })
})

describe('what the engine probes by itself', () => {
  test.each([
    [['HTTP', 'http://:8080/ready?x=1'], { kind: 'http', host: '', port: 8080 }],
    [['HTTP', 'http://127.0.0.1'], { kind: 'http', host: '127.0.0.1', port: 80 }],
    [['HTTP', 'http://[::1]:81/'], { kind: 'http', host: '::1', port: 81 }],
    [['TCP', '5432'], { kind: 'tcp', host: '', port: 5432 }],
    [['TCP', 'localhost:5432'], { kind: 'tcp', host: 'localhost', port: 5432 }],
    [['TCP', '[::1]:5432'], { kind: 'tcp', host: '::1', port: 5432 }],
  ])('%j is read', (Test, target) => {
    expect(checkOf({ Test })?.probe).toMatchObject(target)
  })

  test('the request has the headers that were asked for', () => {
    const probe = checkOf({ Test: ['HTTP', 'http://:8080?a=b', 'host: example.com', 'X-Probe: yes'] })?.probe
    expect(probe).toMatchObject({
      request:
        'GET /?a=b HTTP/1.1\r\nUser-Agent: berth-healthcheck\r\nAccept: */*\r\nhost: example.com\r\nX-Probe: yes\r\nConnection: close\r\n\r\n',
    })
  })

  test.each([
    [['HTTP', 'http://example.com:8080/']],
    [['HTTP', 'https://:8443/']],
    [['HTTP', 'http://:0/']],
    [['HTTP', 'http://:8080/a b']],
    [['HTTP', 'http://:8080/a\r\nX: y']],
    [['HTTP', 'http://user@:8080/']],
    [['HTTP', 'http://:8080/', 'Broken\r\nX: y']],
    [['HTTP', 'http://:8080/', 'Transfer-Encoding: chunked']],
    [['HTTP']],
    [['TCP']],
    [['TCP', 'db.example.com:5432']],
    [['TCP', '70000']],
    [['TCP', '80', '81']],
  ])('%j is refused', (Test) => {
    expect(() => validateHealthcheck({ config: configOf({ Test }) })).toThrow(/invalid/)
  })

  test('labels of the request are a check and an action', () => {
    const labelled = (Labels: Record<string, string>, Healthcheck: Healthcheck = {}) =>
      parseContainerConfig({ Image: 'bb', Labels, Healthcheck })
    const http = { 'io.berth.healthcheck.http': 'http://:80/' }
    const tcp = { 'io.berth.healthcheck.tcp': '80' }
    expect(requestedHealthcheck(labelled(http, { Retries: 5 }))).toEqual({ Test: ['HTTP', 'http://:80/'], Retries: 5 })
    expect(requestedHealthcheck(labelled(tcp))).toEqual({ Test: ['TCP', '80'] })
    expect(() => requestedHealthcheck(labelled({ ...http, ...tcp }))).toThrow('one health check')
    expect(() => requestedHealthcheck(labelled(http, { Test: ['CMD', 'true'] }))).toThrow('one health check')
    expect(requestedAction(labelled({ 'io.berth.health-on-failure': 'restart' }))).toBe('restart')
    expect(requestedAction(labelled({ 'io.berth.health-on-failure': 'none' }))).toBeUndefined()
    expect(() => requestedAction(labelled({ 'io.berth.health-on-failure': 'explode' }))).toThrow(
      'none, restart, stop, kill',
    )
  })

  test('an image cannot choose it', () => {
    expect(mergeHealthcheck(undefined, { Test: ['HTTP', 'http://:80/'], Retries: 2 })).toEqual({ Retries: 2 })
    expect(mergeHealthcheck({ Interval: 5_000_000 }, { Test: ['TCP', '80'] })).toEqual({ Interval: 5_000_000 })
  })
})

describe('the output', () => {
  const collected = async (...chunks: readonly (string | Buffer)[]) => {
    const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
    const output = new ProbeOutput(stream)
    await finished(stream)
    return output.text
  }

  test('is kept to 4096 bytes, with three dots where it is cut', async () => {
    expect(await collected('a\n', 'b\n')).toBe('a\nb\n')
    expect(await collected('x'.repeat(4096))).toBe('x'.repeat(4096))
    expect(await collected('x'.repeat(3000), 'y'.repeat(3000), 'z')).toBe(`${'x'.repeat(3000)}${'y'.repeat(1096)}...`)
  })

  test('that is no text is replaced', async () => {
    expect(await collected(Buffer.from([0x61, 0xff, 0x62]))).toBe('a\u{fffd}b')
  })

  test.each([
    [700, '', 'Health check exceeded timeout (700ms)'],
    [1200, 'a\n', 'Health check exceeded timeout (1.2s): a\n'],
    [90_000, '', 'Health check exceeded timeout (1m30s)'],
    [3_600_000, '', 'Health check exceeded timeout (1h0m0s)'],
  ])('of a probe that took longer than %d ms says so', (ms, output, text) => {
    expect(timeoutText(ms, output)).toBe(text)
  })
})
