import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { DiskBudget } from '#images/budget/disk-budget.ts'
import type { ContentStore } from '#images/content/content-store.ts'
import { openLocalStore } from '#images/content/local-store.ts'
import { tempDirectory } from '#test/support/temp.ts'

const blobBytes = 2 << 20

async function storeBlob(content: ContentStore): Promise<void> {
  await using ingest = await content.openIngest()
  await ingest.write(randomBytes(blobBytes))
  await ingest.commit(ingest.digest(), blobBytes)
}

test('what is stored while the disk is counted is either counted or still promised', async () => {
  await using directory = await tempDirectory('berth-budget-')
  const content = await openLocalStore(directory.path)
  let onceListed: (() => Promise<void>) | undefined
  const counted = {
    find: (digest) => content.find(digest),
    async list() {
      const digests = await content.list()
      await onceListed?.()
      onceListed = undefined
      return digests
    },
  } satisfies Pick<ContentStore, 'find' | 'list'>
  const limits = { budget: { bytes: blobBytes * 1.5 } }
  const budget = new DiskBudget({ root: directory.path, content: counted, snapshots: { list: () => [] }, limits })
  using first = await budget.admit('the first', blobBytes)
  onceListed = async () => {
    await storeBlob(content)
    first.used(blobBytes)
  }
  await expect(budget.admit('the second', blobBytes)).rejects.toMatchObject({
    code: 'disk-budget',
    message: expect.stringContaining('images take 2.097MB of their disk.budget'),
  })
  expect(onceListed).toBeUndefined()
})
