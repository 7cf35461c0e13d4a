import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import type { ContentStore } from '#images/content/content-store.ts'

/** What every content store promises. `open` gives a fresh store; `leftovers` counts its unfinished writes. */
export function contentStoreContract(
  open: () => Promise<{ store: ContentStore; leftovers: () => Promise<number> } & AsyncDisposable>,
): void {
  test('bytes written in pieces become a blob that reads back', async () => {
    await using opened = await open()
    const { store } = opened
    const bytes = randomBytes(3_500_000)
    {
      await using ingest = await store.openIngest()
      for (let at = 0; at < bytes.length; at += 65_521) await ingest.write(bytes.subarray(at, at + 65_521))
      expect(ingest.size).toBe(bytes.length)
      await ingest.commit(digestOf(bytes), bytes.length)
    }
    expect(await store.find(digestOf(bytes))).toEqual({ digest: digestOf(bytes), size: bytes.length })
    expect(Buffer.compare(await store.read(digestOf(bytes), bytes.length), bytes)).toBe(0)
    expect(await store.list()).toEqual([digestOf(bytes)])
    expect(await opened.leftovers()).toBe(0)
  })

  test('an empty blob is a blob', async () => {
    await using opened = await open()
    await using ingest = await opened.store.openIngest()
    await ingest.commit(digestOf(''), 0)
    expect(await opened.store.read(digestOf(''), 0)).toEqual(Buffer.alloc(0))
  })

  test('a wrong digest or size is refused and leaves nothing', async () => {
    await using opened = await open()
    const { store } = opened
    for (const [expected, size] of [
      [digestOf('other'), 5],
      [digestOf('bytes'), 6],
    ] as const) {
      await using ingest = await store.openIngest()
      await ingest.write(Buffer.from('bytes'))
      await expect(ingest.commit(expected, size)).rejects.toMatchObject({ kind: 'data-loss' })
    }
    expect(await store.list()).toEqual([])
    expect(await opened.leftovers()).toBe(0)
  })

  test('an ingest begun again forgets what it had', async () => {
    await using opened = await open()
    await using ingest = await opened.store.openIngest()
    await ingest.write(randomBytes(2_000_000))
    await ingest.restart()
    await ingest.write(Buffer.from('second'))
    await ingest.commit(digestOf('second'), 6)
    expect(`${await opened.store.read(digestOf('second'), 100)}`).toBe('second')
  })

  test('two writers of one blob both succeed', async () => {
    await using opened = await open()
    await using first = await opened.store.openIngest()
    await using second = await opened.store.openIngest()
    for (const ingest of [first, second]) await ingest.write(Buffer.from('same'))
    await Promise.all([first.commit(digestOf('same'), 4), second.commit(digestOf('same'), 4)])
    expect(await opened.store.list()).toEqual([digestOf('same')])
  })

  test('a removed blob is gone at once, and its readers keep it', async () => {
    await using opened = await open()
    const { store } = opened
    {
      await using ingest = await store.openIngest()
      await ingest.write(Buffer.from('doomed'))
      await ingest.commit(digestOf('doomed'), 6)
    }
    await using reader = await store.open(digestOf('doomed'))
    const removal = store.remove([digestOf('doomed'), digestOf('never there')])
    expect(await store.find(digestOf('doomed'))).toBeUndefined()
    await removal
    await expect(store.open(digestOf('doomed'))).rejects.toMatchObject({ kind: 'not-found' })
    expect(`${await reader.readFile()}`).toBe('doomed')
    expect(await opened.leftovers()).toBe(0)
  })

  test('a blob above the limit is not read', async () => {
    await using opened = await open()
    await using ingest = await opened.store.openIngest()
    await ingest.write(Buffer.from('12345'))
    await ingest.commit(digestOf('12345'), 5)
    await expect(opened.store.read(digestOf('12345'), 4)).rejects.toMatchObject({ kind: 'too-large' })
  })

  test('a write that names its blob goes on where the last one was given up', async () => {
    await using opened = await open()
    const { store } = opened
    const bytes = randomBytes(3_000_000)
    const blob = { digest: digestOf(bytes), size: bytes.length }
    {
      await using ingest = await store.openIngest(blob)
      await ingest.write(bytes.subarray(0, 2_000_000))
      await using other = await store.openIngest(blob)
      expect(other.resumed).toBe(0)
    }
    expect(await opened.leftovers()).toBe(1)
    expect(await store.find(blob.digest)).toBeUndefined()
    await using ingest = await store.openIngest(blob)
    expect([ingest.resumed, ingest.size]).toEqual([2_000_000, 2_000_000])
    await ingest.write(bytes.subarray(2_000_000))
    await ingest.commit(blob.digest, blob.size)
    expect(Buffer.compare(await store.read(blob.digest, blob.size), bytes)).toBe(0)
    expect(await opened.leftovers()).toBe(0)
  })

  test('what was given up can be removed, save what somebody goes on with', async () => {
    await using opened = await open()
    const { store } = opened
    const [left, goesOn] = [1, 2].map((fill) => Buffer.alloc(2_000_000, fill)) as [Buffer, Buffer]
    const toBlob = (bytes: Buffer) => ({ digest: digestOf(bytes), size: bytes.length + 1 })
    for (const bytes of [left, goesOn]) {
      await using ingest = await store.openIngest(toBlob(bytes))
      await ingest.write(bytes)
    }
    await using ingest = await store.openIngest(toBlob(goesOn))
    await store.removePartials()
    expect(await opened.leftovers()).toBe(1)
    expect(ingest.resumed).toBe(goesOn.length)
  })
}
