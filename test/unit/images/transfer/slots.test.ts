import { expect, test } from 'vitest'
import { Slots } from '#images/transfer/slots.ts'

const never = new AbortController().signal
const unexpected = () => expect.unreachable()

test('holders beyond the number wait, in order', async () => {
  const slots = new Slots(1)
  const order: string[] = []
  const held = await slots.acquire(unexpected, never)
  const waiting = ['a', 'b'].map(async (who) => {
    using _slot = await slots.acquire(() => order.push(`${who} waits`), never)
    order.push(who)
  })
  held[Symbol.dispose]()
  held[Symbol.dispose]()
  await Promise.all(waiting)
  expect(order).toEqual(['a waits', 'b waits', 'a', 'b'])
})

test('who gives up while waiting takes no slot away', async () => {
  const slots = new Slots(1)
  const held = await slots.acquire(unexpected, never)
  const impatient = new AbortController()
  const failed = slots.acquire(() => undefined, impatient.signal)
  impatient.abort()
  await expect(failed).rejects.toMatchObject({ kind: 'cancelled' })
  held[Symbol.dispose]()
  using _slot = await slots.acquire(unexpected, never)
})

test('a slot handed over to one who gives up in the same moment comes back', async () => {
  const slots = new Slots(1)
  const held = await slots.acquire(unexpected, never)
  const impatient = new AbortController()
  const failed = slots.acquire(() => undefined, impatient.signal)
  held[Symbol.dispose]()
  impatient.abort()
  await expect(failed).rejects.toMatchObject({ kind: 'cancelled' })
  using _slot = await slots.acquire(unexpected, never)
})

test('more slots let those in who wait, fewer take none away', async () => {
  const slots = new Slots(1)
  const first = await slots.acquire(unexpected, never)
  const waiting = slots.acquire(() => undefined, never)
  slots.resize(2)
  const second = await waiting
  slots.resize(1)
  let isIn = false
  const third = slots
    .acquire(() => undefined, never)
    .then((slot) => {
      isIn = true
      return slot
    })
  first[Symbol.dispose]()
  await Promise.resolve()
  expect(isIn).toBe(false)
  second[Symbol.dispose]()
  ;(await third)[Symbol.dispose]()
  using _slot = await slots.acquire(unexpected, never)
})
