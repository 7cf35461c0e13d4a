/** Whatever a gzip stream can be made of comes out right, in whatever pieces it arrives; whatever is wrong with one is found. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { constants, gzipSync, type ZlibOptions } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { tar } from '../../support/tar.ts'
import { tempDirectory } from '../../support/temp.ts'
import { buildUnpackTool, runUnpackTool, type ToolResult } from '../../support/unpack-tool.ts'

let tool: string
beforeAll(async () => {
  tool = await buildUnpackTool()
})

const archive = tar([
  { name: 'words', content: 'the same words again and again, '.repeat(9000) },
  { name: 'noise', content: noise(200_000) },
  { name: 'zeros', content: Buffer.alloc(700_000) },
])
const diffId = `sha256:${createHash('sha256').update(archive).digest('hex')}`

const kinds: readonly [string, ZlibOptions][] = [
  ['stored blocks', { level: 0 }],
  ['level 1', { level: 1 }],
  ['level 9', { level: 9 }],
  ['fixed codes', { strategy: constants.Z_FIXED }],
  ['no matches', { strategy: constants.Z_HUFFMAN_ONLY }],
  ['runs only', { strategy: constants.Z_RLE }],
  ['the smallest window', { windowBits: 9, memLevel: 1 }],
]

test.each(kinds)('a stream of %s gives the archive it was made of', async (_, options) => {
  expect(await unpack(gzipSync(archive, options))).toMatchObject({ code: 0, message: '' })
  for (const cut of [1, 512, 65_537]) {
    const members = [archive.subarray(0, cut), archive.subarray(cut)].map((part) => gzipSync(part, options))
    const result = await unpack(Buffer.concat(members))
    expect(result, `a member of ${cut} bytes in front`).toMatchObject({ code: 0, message: '' })
    expect(JSON.parse(result.output)).toMatchObject({ diffId, size: archive.length })
  }
})

test('a stream may arrive in pieces of any size, also within header and trailer', async () => {
  const [first, second] = [archive.subarray(0, 3000), archive.subarray(3000)].map((part) => gzipSync(part))
  const bytes = Buffer.concat([first ?? Buffer.alloc(0), second ?? Buffer.alloc(0)])
  const ends = [...range(0, 12), ...range((first?.length ?? 0) - 9, (first?.length ?? 0) + 12), bytes.length - 5]
  const pieces = [...ends, bytes.length].map((end, index, all) => bytes.subarray(all[index - 1] ?? 0, end))
  await using directory = await tempDirectory('berth-gzip-')
  await using target = await open(directory.path, 'r')
  const child = spawn(tool, ['--overlay'], { stdio: ['pipe', 'pipe', 'inherit', target.fd] })
  const output = text(child.stdout as NonNullable<typeof child.stdout>)
  for (const piece of pieces) await new Promise((resolve) => child.stdin?.write(piece, resolve))
  child.stdin?.end()
  await once(child, 'close')
  expect(JSON.parse(await output)).toMatchObject({ diffId, size: archive.length })
})

test('a stream with any byte changed is refused, save those of the header that mean nothing', async () => {
  const bytes = gzipSync(tar([{ name: 'a', content: 'some text, some more text and other words' }]))
  const taken: number[] = []
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 0x41
    const { code, message } = await unpack(changed)
    if (code === 0) taken.push(at)
    else expect([at, code, message]).toEqual([at, 1, expect.stringMatching(/gzip|archive|layer/)])
  }
  // Time, extra flags, system.
  expect(taken).toEqual([4, 5, 6, 7, 8, 9])
})

async function unpack(bytes: Uint8Array): Promise<ToolResult> {
  await using directory = await tempDirectory('berth-gzip-')
  return await runUnpackTool(tool, directory.path, bytes)
}

function noise(size: number): Buffer {
  let block = createHash('sha512').update('seed').digest()
  const blocks = Array.from({ length: Math.ceil(size / 64) }, () => {
    block = createHash('sha512').update(block).digest()
    return block
  })
  return Buffer.concat(blocks).subarray(0, size)
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)
