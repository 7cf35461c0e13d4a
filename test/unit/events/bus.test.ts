import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { Filters } from '#base/filters.ts'
import { EventBus, type Subscription } from '#events/bus.ts'
import type { EngineEvent } from '#events/event.ts'
import { type Database, openDatabase } from '#state/database.ts'

let directory: string
let database: Database
let bus: EventBus
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-events-'))
  database = openDatabase(join(directory, 'state.db'))
  bus = new EventBus(database)
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const happened = (action: string, attributes: Record<string, string> = {}): Omit<EngineEvent, 'time'> => ({
  type: 'container',
  action,
  actor: { id: 'abcdef', attributes },
})

async function take(subscription: AsyncIterable<EngineEvent>, count: number): Promise<string[]> {
  const actions: string[] = []
  for await (const event of subscription) {
    actions.push(event.action)
    if (actions.length === count) break
  }
  return actions
}

const endless = new AbortController().signal

test('an event published right after subscribing is not missed', async () => {
  const subscription = bus.subscribe({}, endless)
  bus.publish(happened('start'))
  expect(await take(subscription, 1)).toEqual(['start'])
  expect(bus.listeners).toBe(0)
})

test('nobody hears of an event whose transaction was undone', async () => {
  const subscription = bus.subscribe({}, endless)
  expect(() =>
    database.transaction(() => {
      bus.publish(happened('never'))
      throw new Error('undo')
    }),
  ).toThrow('undo')
  bus.publish(happened('start'))
  expect(await take(subscription, 1)).toEqual(['start'])
})

test('since replays, until in the past ends the stream', async () => {
  for (let n = 0; n < 600; n += 1) bus.publish(happened(`old-${n}`))
  const until = systemClock.nowNanos() + 1_000_000n
  const actions = await take(bus.subscribe({ since: 0n, until }, endless), Number.POSITIVE_INFINITY)
  expect(actions).toHaveLength(600)
  expect(actions.at(-1)).toBe('old-599')
})

test('past and coming events join without a gap or a repetition', async () => {
  bus.publish(happened('past'))
  const subscription = bus.subscribe({ since: 0n }, endless)
  bus.publish(happened('new'))
  expect(await take(subscription, 2)).toEqual(['past', 'new'])
})

test('a slow reader gets every event in order', async () => {
  const subscription = bus.subscribe({}, endless)
  for (let n = 0; n < 2000; n += 1) bus.publish(happened(`e${n}`))
  expect(await take(subscription, 2000)).toEqual(Array.from({ length: 2000 }, (_, n) => `e${n}`))
})

test('a slow reader keeps the journal from dropping what it has not got', async () => {
  bus = new EventBus(database, systemClock, { kept: 256, backlog: 10_000 })
  bus.publish(happened('first'))
  const [slow, past] = [bus.subscribe({}, endless), bus.subscribe({ since: 1n }, endless)]
  for (let n = 0; n < 3000; n += 1) bus.publish(happened(`e${n}`))
  const all = Array.from({ length: 3000 }, (_, n) => `e${n}`)
  expect(await take(slow, 3000)).toEqual(all)
  expect(await take(past, 3001)).toEqual(['first', ...all])
  for (let n = 0; n < 512; n += 1) bus.publish(happened('later'))
  expect((await take(bus.subscribe({ since: 1n }, endless), 256))[0]).toBe('later')
})

test('a reader that the journal has left behind is told so', async () => {
  bus = new EventBus(database, systemClock, { kept: 256, backlog: 1000 })
  const subscription = bus.subscribe({}, endless)
  for (let n = 0; n < 2000; n += 1) bus.publish(happened(`e${n}`))
  await expect(take(subscription, 2000)).rejects.toThrow(/too slowly/)
})

test('times do not go back when the clock does, over a restart neither', async () => {
  const at = (nowNanos: bigint) => new EventBus(database, { ...systemClock, nowNanos: () => nowNanos })
  at(5000n).publish(happened('first'))
  const again = at(1000n)
  const subscription = again.subscribe({ since: 1n }, endless)
  again.publish(happened('second'))
  const times: bigint[] = []
  for await (const { time } of subscription) if (times.push(time) === 2) break
  expect(times).toEqual([5000n, 5001n])
})

test('aborting ends the stream without an error', async () => {
  const abort = new AbortController()
  const subscription = bus.subscribe({}, abort.signal)
  setImmediate(() => abort.abort())
  expect(await take(subscription, 1)).toEqual([])
  expect(bus.listeners).toBe(0)
})

test('a new bus on the same database goes on where the old one ended', async () => {
  bus.publish(happened('before'))
  const again = new EventBus(database)
  const subscription = again.subscribe({}, endless)
  again.publish(happened('after'))
  expect(await take(subscription, 1)).toEqual(['after'])
})

test.each<[string, Record<string, string[]>, boolean]>([
  ['type', { type: ['container'] }, true],
  ['another type', { type: ['network'] }, false],
  ['action', { event: ['die', 'exec_start: sh'] }, true],
  ['action without its detail', { event: ['exec_start'] }, true],
  ['another action', { event: ['die'] }, false],
  ['container by id prefix', { container: ['abc'] }, true],
  ['container by name', { container: ['web'] }, true],
  ['another container', { container: ['x'] }, false],
  ['a network filter on a container event', { network: ['abc'] }, false],
  ['image without tag', { image: ['nginx'] }, true],
  ['another image', { image: ['ngin'] }, false],
  ['label', { label: ['team=a'] }, true],
  ['label with another value', { label: ['team=b'] }, false],
  ['scope', { scope: ['swarm'] }, false],
])('filters by %s', async (_, wanted, expected) => {
  const filters = new Filters(new Map(Object.entries(wanted)))
  bus.publish(happened('exec_start: sh', { name: 'web', image: 'nginx:1.27', team: 'a' }))
  const request: Subscription = { since: 0n, until: systemClock.nowNanos() + 1_000_000n, filters }
  expect(await take(bus.subscribe(request, endless), 5)).toHaveLength(expected ? 1 : 0)
})
