/** A whole file becomes a blob by its inode: only when nobody else may be writing to it, and only with the bytes that its digest says. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, link, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf, encodedOf } from '#base/digest.ts'
import { openLocalStore } from '#images/content/local-store.ts'
import { digestFile } from '#images/layers/file-digest.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'

const never = new AbortController().signal
const bytes = randomBytes(3_000_000)
const blob = { digest: digestOf(bytes), size: bytes.length }

const python = (program: string) => execFileSync('python3', ['-c', program], { encoding: 'utf8' })

async function openScene(content: Uint8Array = bytes) {
  await using undo = new AsyncDisposableStack()
  const { path: root } = undo.use(await tempDirectory('berth-adopt-'))
  const executable = await buildUnpackTool()
  const store = await openLocalStore(join(root, 'content'))
  const file = join(root, 'file')
  await writeFile(file, content)
  const owned = undo.move()
  return {
    root,
    store,
    file,
    blob: join(root, 'content/blobs/sha256', encodedOf(blob.digest)),
    digest: (fd: number) => digestFile(executable, { fd }, never),
    ingests: () => readdir(join(root, 'content/ingest')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

test('a file becomes the blob itself, and is nobody else’s any more', async () => {
  await using scene = await openScene()
  await chown(scene.file, 1234, 1234)
  await chmod(scene.file, 0o6777)
  const capability = `os.setxattr('${scene.file}', 'security.capability', struct.pack('<5I', 0x02000001, 1 << 7, 0, 0, 0))`
  python(`import os, struct; ${capability}`)
  const { ino } = await stat(scene.file)
  {
    await using ingest = await scene.store.openIngest(blob)
    expect(await ingest.adopt(scene.file, scene.digest)).toBe(true)
    expect([ingest.digest(), ingest.size]).toEqual([blob.digest, blob.size])
    await ingest.commit(blob.digest, blob.size)
  }
  await rm(scene.file)
  expect(await stat(scene.blob)).toMatchObject({ ino, nlink: 1, uid: 0, gid: 0, mode: 0o100600 })
  expect(python(`import os; print(os.listxattr('${scene.blob}'))`)).toBe('[]\n')
  expect(Buffer.compare(await scene.store.read(blob.digest, blob.size), bytes)).toBe(0)
  expect(await scene.ingests()).toEqual([])
})

test('it can be unpacked as a growing blob while it is hashed', async () => {
  await using scene = await openScene()
  await using ingest = await scene.store.openIngest(blob)
  let read: Buffer | undefined
  await ingest.adopt(scene.file, async (fd) => {
    const growing = scene.store.growing(blob.digest)
    await growing?.written
    await using reader = await growing?.open()
    read = await reader?.readFile()
    return await scene.digest(fd)
  })
  expect(Buffer.compare(read ?? Buffer.alloc(0), bytes)).toBe(0)
})

test('what an earlier write had left does not count', async () => {
  await using scene = await openScene()
  {
    await using ingest = await scene.store.openIngest(blob)
    await ingest.write(Buffer.alloc(2_000_000))
  }
  await using ingest = await scene.store.openIngest(blob)
  expect(ingest.resumed).toBe(2_000_000)
  expect(await ingest.adopt(scene.file, scene.digest)).toBe(true)
  expect(ingest.resumed).toBe(0)
  await ingest.commit(blob.digest, blob.size)
})

test('other bytes are refused and leave nothing, and the ingest begins again with a file of its own', async () => {
  await using scene = await openScene(randomBytes(bytes.length))
  {
    await using ingest = await scene.store.openIngest(blob)
    await ingest.adopt(scene.file, scene.digest)
    await expect(ingest.commit(blob.digest, blob.size)).rejects.toMatchObject({ kind: 'data-loss' })
    await ingest.restart()
    await ingest.write(bytes)
    await ingest.commit(blob.digest, blob.size)
  }
  expect(Buffer.compare(await scene.store.read(blob.digest, blob.size), bytes)).toBe(0)
  expect(await stat(scene.file)).toMatchObject({ nlink: 1, size: bytes.length })
  await scene.store.remove([blob.digest])
  {
    await using ingest = await scene.store.openIngest(blob)
    await ingest.adopt(scene.file, scene.digest)
  }
  expect(await scene.ingests()).toEqual([])
  expect(await stat(scene.file)).toMatchObject({ nlink: 1 })
})

test('a failure of who hashes leaves nothing', async () => {
  await using scene = await openScene()
  {
    await using ingest = await scene.store.openIngest(blob)
    await expect(ingest.adopt(scene.file, () => Promise.reject(new Error('killed')))).rejects.toThrow('killed')
  }
  expect(await scene.ingests()).toEqual([])
})

test.each<readonly [string, (path: string, file: string) => Promise<void>]>([
  ['a file of two names', (path, file) => link(file, path)],
  ['a symbolic link', (path, file) => symlink(file, path)],
  ['a directory', (path) => mkdir(path).then(() => undefined)],
  ['a fifo', async (path) => void execFileSync('mkfifo', [path])],
])('%s is not taken', async (_, make) => {
  await using scene = await openScene()
  const other = join(scene.root, 'other')
  await make(other, scene.file)
  await using ingest = await scene.store.openIngest(blob)
  await ingest.write(bytes.subarray(0, 10))
  expect(await ingest.adopt(other, scene.digest)).toBe(false)
  await ingest.write(bytes.subarray(10))
  await ingest.commit(blob.digest, blob.size)
  expect((await stat(scene.blob)).nlink).toBe(1)
})

test('nor is one of another file system', async () => {
  await using scene = await openScene()
  await using elsewhere = await tempDirectory('berth-adopt-', '/dev/shm')
  const other = join(elsewhere.path, 'file')
  await writeFile(other, bytes)
  await using ingest = await scene.store.openIngest(blob)
  expect(await ingest.adopt(other, scene.digest)).toBe(false)
  expect(await scene.ingests()).toEqual([encodedOf(blob.digest)])
})
