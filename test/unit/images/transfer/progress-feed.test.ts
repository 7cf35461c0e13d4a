import { expect, test } from 'vitest'
import { ProgressFeed } from '#images/transfer/progress-feed.ts'

const noReturn = async () => expect.unreachable()

async function all(feed: ProgressFeed) {
  return await Array.fromAsync(feed)
}

test('a slow reader gets the newest count of each layer, and every word', async () => {
  const feed = new ProgressFeed(noReturn)
  for (const current of [1, 2, 3]) {
    feed.push({ id: 'a', status: 'Downloading', detail: { current } })
    feed.push({ id: 'b', status: 'Downloading', detail: { current } })
  }
  feed.push({ id: 'a', status: 'Download complete' })
  feed.push({ id: 'a', status: 'Extracting', detail: { current: 1 } })
  feed.end()
  expect(await all(feed)).toEqual([
    { id: 'a', status: 'Downloading', detail: { current: 3 } },
    { id: 'b', status: 'Downloading', detail: { current: 3 } },
    { id: 'a', status: 'Download complete' },
    { id: 'a', status: 'Extracting', detail: { current: 1 } },
  ])
})

test('an error comes after what was told before it', async () => {
  const feed = new ProgressFeed(noReturn)
  feed.push({ status: 'one' })
  feed.end({ error: new Error('broken') })
  const seen: string[] = []
  await expect(
    (async () => {
      for await (const { status } of feed) seen.push(status)
    })(),
  ).rejects.toThrow('broken')
  expect(seen).toEqual(['one'])
})

test('a reader that leaves early stops the work', async () => {
  let stopped = false
  const feed = new ProgressFeed(async () => {
    stopped = true
  })
  feed.push({ status: 'one' })
  for await (const _ of feed) break
  expect(stopped).toBe(true)
})
