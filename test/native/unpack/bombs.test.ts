/** What is small on the wire and large behind it: the child ends at a limit, in little memory. */
import { readdir } from 'node:fs/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool, runUnpackTool } from '#test/support/unpack-tool.ts'

let tool: string
beforeAll(async () => {
  tool = await buildUnpackTool()
})

/** All that it may have of memory of its own. */
const memoryBytes = 16 << 20
const gigabytes = 7 * 2 ** 30
const zeros = Buffer.alloc(64 << 20)

/** An archive that says it is endless, in either compression, of zeros behind its head. */
const endless = (head: Buffer, compress: (bytes: Buffer) => Buffer) => {
  const part = compress(zeros)
  return Buffer.concat([compress(head), ...Array.from({ length: 100 }, () => part)])
}
const headOf = (type: string) => tar([{ name: 'head', type, size: gigabytes }], { end: false })
const manyNames = tar(Array.from({ length: 30_000 }, (_, at) => ({ name: `${at}` })))
const attributes = (count: number, size: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`SCHILY.xattr.user.${at}`, 'x'.repeat(size)]))
const grows = 'the layer grows more than 200 times when it is decompressed\n'

test.each<[string, () => Buffer, string | RegExp, readonly string[]]>([
  ['zeros in gzip', () => endless(headOf('0'), (bytes) => gzipSync(bytes)), grows, []],
  ['zeros in zstd', () => endless(headOf('0'), (bytes) => zstdCompressSync(bytes)), grows, []],
  [
    'zeros above a limit of bytes',
    () => gzipSync(zeros),
    /larger than the limit of 1048576/,
    ['--limit-bytes', '1048576'],
  ],
  ['entries without number', () => gzipSync(manyNames), /more than 20000 entries/, ['--limit-entries', '20000']],
  [
    'a path of a gigabyte, of GNU tar',
    () => endless(headOf('L'), (bytes) => gzipSync(bytes)),
    /too long|larger than/,
    [],
  ],
  [
    'an extended header of gigabytes',
    () => endless(headOf('x'), (bytes) => gzipSync(bytes)),
    /larger than 1048576/,
    [],
  ],
  ['a path of 64 KiB', () => tar([{ name: 'a', pax: { path: 'a/'.repeat(32 << 10) } }]), /bad value for 'path'/, []],
  ['an attribute of 512 KiB', () => tar([{ name: 'a', pax: attributes(1, 512 << 10) }]), /is too large/, []],
  ['attributes of a megabyte', () => tar([{ name: 'a', pax: attributes(20, 60_000) }]), /larger than 1048576/, []],
])('%s: ends at a limit, in 16 MiB of memory', async (_, bomb, message, limits) => {
  await using target = await tempDirectory('berth-unpack-')
  const line = [`--data=${memoryBytes}`, tool, '--overlay', ...limits]
  const result = await runUnpackTool('prlimit', target.path, bomb(), line)
  expect(result.message).toMatch(message)
  expect(result).toMatchObject({ code: 1, output: '' })
})

test('the memory that is enough for bombs is little for what they would take', async () => {
  await using target = await tempDirectory('berth-unpack-')
  const line = [`--data=${64 << 10}`, tool, '--overlay']
  expect((await runUnpackTool('prlimit', target.path, gzipSync(manyNames), line)).code).not.toBe(0)
  expect(await readdir(target.path)).toEqual([])
})
