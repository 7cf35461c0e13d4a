import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { archiveSource } from '#images/archive/archive-source.ts'
import { TreeReader } from '#images/archive/tree-reader.ts'
import { openLocalStore } from '#images/content/local-store.ts'
import { tempDirectory } from '#test/support/temp.ts'

test('a member that nobody wants any more is not copied, and is no error that nobody catches', async () => {
  await using directory = await tempDirectory('berth-archive-')
  await writeFile(join(directory.path, 'layer'), 'layer')
  const content = await openLocalStore(join(directory.path, 'content'))
  const descriptor = { mediaType: 'application/octet-stream', digest: digestOf('layer'), size: 5 }
  const made = new Map([[descriptor.digest, 'layer']])
  const source = archiveSource({ executable: '/nonexistent' }, new TreeReader(directory.path), made)
  await using ingest = await content.openIngest()
  await expect(
    source.fetchBlob({ descriptor, ingest, signal: AbortSignal.abort(new Error('another layer failed')) }),
  ).rejects.toThrow('another layer failed')
  expect(ingest.size).toBe(0)
})
