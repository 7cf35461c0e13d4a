import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { dataLoss } from '#base/errors.ts'

/** The empty member in front of a compressed log, up to the inode. @see shim/log-compress.c */
const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 12, 0, 0x42, 0x65, 8, 0])
const inodeSize = 8
const chunkSize = 64 << 10

/** The inode of the file that was compressed.   @throws `data-loss` for what the shim has not written */
export async function identityOf(file: FileHandle): Promise<bigint> {
  const buffer = Buffer.alloc(head.length + inodeSize)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
  if (bytesRead < buffer.length || !buffer.subarray(0, head.length).equals(head)) {
    throw dataLoss('a compressed log file does not begin as the engine writes them; remove it to read the others')
  }
  return buffer.readBigUInt64LE(head.length)
}

/** Its records in a file without a name, which begins beside the path and goes with its descriptor.   @throws `data-loss` */
export async function inflate(file: FileHandle, path: string): Promise<FileHandle> {
  await using opened = new AsyncDisposableStack()
  const name = `${path}.${randomBytes(6).toString('hex')}.reading`
  const plain = opened.use(await open(name, 'wx+', 0o600))
  await rm(name)
  try {
    await pipeline(chunksOf(file), createGunzip(), async (records: AsyncIterable<Buffer>) => {
      for await (const record of records) await plain.appendFile(record)
    })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')) {
      throw dataLoss('a compressed log file is damaged; remove it to read the others', { cause })
    }
    throw cause
  }
  opened.move()
  return plain
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
