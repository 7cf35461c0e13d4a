import { expect, test } from 'vitest'
import { SharedTasks } from '#images/transfer/shared-tasks.ts'

const never = () => new AbortController().signal
const ignore = () => undefined

test('work that two wait for is done once, and both see its progress', async () => {
  const tasks = new SharedTasks<string>()
  const seen: string[] = []
  let runs = 0
  const { promise: go, resolve } = Promise.withResolvers<void>()
  const start = async (report: (text: string) => void) => {
    runs += 1
    report('begun')
    await go
    report('ended')
  }
  const both = ['a', 'b'].map((who) =>
    tasks.run('key', { start, signal: never(), onProgress: (text) => seen.push(`${who} ${text}`) }),
  )
  resolve()
  await Promise.all(both)
  expect(runs).toBe(1)
  expect(seen.toSorted()).toEqual(['a begun', 'a ended', 'b begun', 'b ended'])
})

test('who joins late is told how far it is', async () => {
  const tasks = new SharedTasks<string>()
  const { promise: go, resolve } = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const first = tasks.run('key', {
    async start(report) {
      report('half')
      await go
    },
    signal: never(),
    onProgress: () => begun.resolve(),
  })
  await begun.promise
  const late: string[] = []
  const second = tasks.run('key', {
    start: async () => ignore(),
    signal: never(),
    onProgress: (text) => late.push(text),
  })
  expect(late).toEqual(['half'])
  resolve()
  await Promise.all([first, second])
})

test('one who leaves does not end the work of the others, the last one does and waits for its end', async () => {
  const tasks = new SharedTasks<string>()
  const events: string[] = []
  const start = (_: unknown, signal: AbortSignal) =>
    new Promise<void>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        events.push('stopped')
        setImmediate(() => {
          events.push('cleaned up')
          reject(new Error('aborted'))
        })
      })
    })
  const [one, two] = [new AbortController(), new AbortController()]
  const first = tasks.run('key', { start, signal: one.signal, onProgress: ignore })
  const second = tasks.run('key', { start, signal: two.signal, onProgress: ignore })
  one.abort()
  await expect(first).rejects.toMatchObject({ kind: 'cancelled' })
  expect(events).toEqual([])
  two.abort()
  await expect(second).rejects.toMatchObject({ kind: 'cancelled' })
  expect(events).toEqual(['stopped', 'cleaned up'])
})

test("another's failure is tried again, one's own is told", async () => {
  const tasks = new SharedTasks<string>()
  let runs = 0
  const start = async () => {
    runs += 1
    if (runs === 1) throw new Error('of the first')
  }
  const first = tasks.run('key', { start, signal: never(), onProgress: ignore })
  const second = tasks.run('key', { start, signal: never(), onProgress: ignore })
  await expect(first).rejects.toThrow('of the first')
  await second
  expect(runs).toBe(2)
})
