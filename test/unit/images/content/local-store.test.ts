import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf, encodedOf } from '#base/digest.ts'
import { openLocalStore } from '#images/content/local-store.ts'
import { contentStoreContract } from '#test/contracts/content-store.ts'

async function openTemporary() {
  const root = await mkdtemp(join(tmpdir(), 'berth-content-'))
  return {
    root,
    store: await openLocalStore(root),
    leftovers: async () => (await readdir(join(root, 'ingest'))).length,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
}

describe('the local store keeps the contract of content stores:', () => contentStoreContract(openTemporary))

test('its folder is an OCI image layout', async () => {
  await using opened = await openTemporary()
  await using ingest = await opened.store.openIngest()
  await ingest.write(Buffer.from('x'))
  await ingest.commit(digestOf('x'), 1)
  expect(JSON.parse(`${await readFile(join(opened.root, 'oci-layout'))}`)).toEqual({ imageLayoutVersion: '1.0.0' })
  expect(`${await readFile(join(opened.root, 'blobs/sha256', encodedOf(digestOf('x'))))}`).toBe('x')
})

test('what a killed daemon was writing is collected at the next start', async () => {
  await using opened = await openTemporary()
  await mkdir(join(opened.root, 'ingest'), { recursive: true })
  await writeFile(join(opened.root, 'ingest', 'left'), 'half')
  await openLocalStore(opened.root)
  expect(await opened.leftovers()).toBe(0)
})
