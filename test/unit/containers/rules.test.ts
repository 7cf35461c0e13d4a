import { expect, test } from 'vitest'
import type { ContainerConfig } from '#containers/container.ts'
import { DetachScanner, parseDetachKeys } from '#containers/detach-keys.ts'
import { ExitWatch } from '#containers/exit-watch.ts'
import { mergeImage } from '#containers/merge-image.ts'
import { freeName, parseContainerName } from '#containers/names.ts'
import { nextRestart, startsWithDaemon } from '#containers/restart-policy.ts'
import { parseSignal } from '#containers/signals.ts'
import { parsePs } from '#containers/top.ts'

test('detach keys are read, and found across chunks and false starts', () => {
  expect([...parseDetachKeys('')]).toEqual([16, 17])
  expect([...parseDetachKeys('ctrl-@,a,ctrl-_')]).toEqual([0, 97, 31])
  expect(() => parseDetachKeys('ctrl-ab')).toThrow('Invalid detach keys (ctrl-ab) provided')
  const scanner = new DetachScanner(parseDetachKeys('ctrl-p,ctrl-q'))
  expect(scanner.push(Buffer.from('a\x10'))).toEqual({ forward: Buffer.from('a'), detached: false })
  expect(scanner.push(Buffer.from('\x10b'))).toEqual({ forward: Buffer.from('\x10\x10b'), detached: false })
  expect(scanner.push(Buffer.from('c\x10'))).toEqual({ forward: Buffer.from('c'), detached: false })
  expect(scanner.push(Buffer.from('\x11rest'))).toEqual({ forward: Buffer.alloc(0), detached: true })
})

test.each([
  ['9', 9],
  ['KILL', 9],
  ['sigterm', 15],
  ['SIGRTMIN', 34],
  ['RTMIN+3', 37],
  ['SIGRTMAX-1', 63],
])('the signal %s is %i', (text, number) => {
  expect(parseSignal(text)).toBe(number)
})

test.each(['', '0', 'NOPE', 'RTMAX+1'])("'%s' is no signal", (text) => {
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`)
})

test('a number beyond the signals is one that Linux does not have', () => {
  expect(() => parseSignal('65')).toThrow('the linux daemon does not support signal 65')
  expect(() => parseSignal('-1')).toThrow('the linux daemon does not support signal -1')
})

const attempt = { exitCode: 1, stoppedByUser: false, restartCount: 0, ranForMs: 5, previousDelayMs: 0 }
const always = { name: 'always', maximumRetryCount: 0 } as const

test('restart delays begin at 100 ms, double, end at a minute, and begin anew after a good run', () => {
  expect(nextRestart(always, attempt)).toEqual({ delayMs: 100 })
  expect(nextRestart(always, { ...attempt, previousDelayMs: 100 })).toEqual({ delayMs: 200 })
  expect(nextRestart(always, { ...attempt, previousDelayMs: 50_000 })).toEqual({ delayMs: 60_000 })
  expect(nextRestart(always, { ...attempt, previousDelayMs: 50_000, ranForMs: 10_000 })).toEqual({ delayMs: 100 })
})

test('policies decide by exit code, count and the user', () => {
  const onFailure = { name: 'on-failure', maximumRetryCount: 2 } as const
  expect(nextRestart(onFailure, { ...attempt, restartCount: 1 })).toBeDefined()
  expect(nextRestart(onFailure, { ...attempt, restartCount: 2 })).toBeUndefined()
  expect(nextRestart(onFailure, { ...attempt, exitCode: 0 })).toBeUndefined()
  expect(nextRestart(always, { ...attempt, stoppedByUser: true })).toBeUndefined()
  expect(nextRestart({ name: 'no', maximumRetryCount: 0 }, attempt)).toBeUndefined()
})

test('what a user stopped comes back with the daemon, unless it says otherwise', () => {
  const stopped = { ...attempt, stoppedByUser: true }
  const policy = (name: 'no' | 'always' | 'unless-stopped' | 'on-failure') => ({ name, maximumRetryCount: 0 })
  expect(startsWithDaemon(policy('always'), stopped)).toBe(true)
  expect(startsWithDaemon(policy('unless-stopped'), stopped)).toBe(false)
  expect(startsWithDaemon(policy('unless-stopped'), attempt)).toBe(true)
  expect(startsWithDaemon(policy('on-failure'), stopped)).toBe(true)
  expect(startsWithDaemon(policy('on-failure'), { ...stopped, exitCode: 0 })).toBe(false)
  expect(startsWithDaemon({ name: 'on-failure', maximumRetryCount: 2 }, { ...attempt, restartCount: 2 })).toBe(false)
  expect(startsWithDaemon(policy('no'), attempt)).toBe(false)
})

test('random names are valid and free', () => {
  const taken = new Set<string>()
  for (let n = 0; n < 2000; n += 1) {
    const name = freeName((candidate) => taken.has(candidate))
    expect(parseContainerName(name)).toBe(name)
    taken.add(name)
  }
  expect(taken.size).toBe(2000)
  expect(freeName((name) => !/\d$/.test(name))).toMatch(/\d$/)
  expect(() => parseContainerName('a b')).toThrow(
    'Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  )
})

test('ps tables keep the rows of the container', () => {
  const output = 'UID   PID  PPID CMD\nroot    1     0 /sbin/init splash\nroot   42     7 sleep 100\n'
  expect(parsePs(output, new Set([42]))).toEqual({
    titles: ['UID', 'PID', 'PPID', 'CMD'],
    processes: [['root', '42', '7', 'sleep 100']],
  })
  expect(() => parsePs('CMD\nx\n', new Set([1]))).toThrow(/PID/)
})

test('waiters hear of the moment they wait for, all of them, and of removal in any case', async () => {
  const watch = new ExitWatch()
  const exits = [watch.next('a', 'exit'), watch.next('a', 'exit')]
  const removal = watch.next('a', 'removed')
  watch.tell('a', 'exit', { code: 3, error: undefined })
  expect(await Promise.all(exits)).toEqual([
    { code: 3, error: undefined },
    { code: 3, error: undefined },
  ])
  const never = watch.next('a', 'exit')
  watch.tellRemoved('a', { code: 4, error: undefined })
  expect(await Promise.all([removal, never])).toEqual([
    { code: 4, error: undefined },
    { code: 4, error: undefined },
  ])
})

const config = (over: Partial<ContainerConfig>): ContainerConfig => ({
  image: 'x',
  hostname: '',
  domainname: '',
  user: '',
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  tty: false,
  openStdin: false,
  stdinOnce: false,
  env: [],
  cmd: null,
  entrypoint: null,
  workingDir: '',
  labels: {},
  exposedPorts: [],
  volumes: [],
  stopSignal: undefined,
  stopTimeoutSeconds: undefined,
  shell: undefined,
  networkDisabled: false,
  healthcheck: undefined,
  ...over,
})
const image = {
  config: {
    Entrypoint: ['/entry'],
    Cmd: ['default'],
    Env: ['PATH=/bin', 'A=image'],
    User: 'web',
    Labels: { a: '1', b: '2' },
  },
}

test.each([
  ['nothing asked', {}, ['/entry'], ['default']],
  ['a command', { cmd: ['mine'] }, ['/entry'], ['mine']],
  ['an entrypoint takes the command away', { entrypoint: ['/mine'] }, ['/mine'], null],
  ['an empty entrypoint', { entrypoint: [''], cmd: ['mine'] }, null, ['mine']],
])('image defaults: %s', (_, over, entrypoint, cmd) => {
  expect(mergeImage(config(over), image)).toMatchObject({ entrypoint, cmd })
})

test('environment and labels add up, the user’s word first', () => {
  const merged = mergeImage(config({ env: ['A=mine'], labels: { b: 'mine' }, user: 'root' }), image)
  expect(merged).toMatchObject({ env: ['A=mine', 'PATH=/bin'], labels: { a: '1', b: 'mine' }, user: 'root' })
})
