/** The parts of berth-unpack that read hostile bytes, compiled with AddressSanitizer and UndefinedBehaviorSanitizer. */
import { execFile, spawn } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { constants, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tar } from '#test/support/tar.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
let directory: string
let gunzip: string
let headers: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-unpack-fuzz-'))
  const sources = (...names: string[]) => [...names.map((name) => `images/unpack/${name}.c`), 'runtime/lib/error.c']
  gunzip = await compile('gunzip_fuzz', sources('gunzip', 'deflate', 'deflate-tables', 'huffman'))
  headers = await compile('tar_fuzz', sources('tar', 'pax', 'source', 'sha256'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

async function compile(name: string, sources: readonly string[]): Promise<string> {
  const program = join(directory, name)
  const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
  const flags = ['-std=gnu17', '-g', '-O1', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-iquote', 'images/unpack']
  await run('gcc', [...flags, ...checks, '-o', program, `test/native/unpack/${name}.c`, ...sources, '-lz'], {
    cwd: root,
  })
  return program
}

async function feed(program: string, input: Uint8Array, options: readonly string[]): Promise<string> {
  const child = spawn(program, options, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect({ code, errors: errors.slice(0, 3000) }).toEqual({ code: 0, errors: '' })
  return output.trim()
}

/** The same noise in every run. */
const noise = (size: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2)).update(Buffer.alloc(size))

const words = Array.from({ length: 400 }, (_, i) => (i * i * 7919).toString(36))
const prose = Buffer.from(Array.from({ length: 30_000 }, (_, i) => words[(i * i + 3 * i) % 400]).join(' '))

const contents: readonly [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['prose', prose],
  ['zeros', Buffer.alloc(3_000_000)],
  ['noise', noise(300_000)],
  ['short repetitions', Buffer.from(Array.from({ length: 60_000 }, (_, i) => 'abcdefg'.slice(i % 7)).join(''))],
  ['far repetitions', Buffer.concat([prose.subarray(0, 32_768), prose.subarray(0, 32_768), noise(40_000), prose])],
  ['a program', Buffer.from(prose.map((byte, i) => (i % 3 === 0 ? byte : (byte * i) & 0xff)))],
]

const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY } = constants

test.each(contents)('our decompressor and zlib agree on %s, whole and damaged', async (_, content) => {
  const options = [
    ...[0, 1, 6, 9].map((level) => ({ level, strategy: Z_DEFAULT_STRATEGY })),
    ...[Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE].map((strategy) => ({ level: 6, strategy })),
    { level: 6, strategy: Z_DEFAULT_STRATEGY, windowBits: 9, memLevel: 1 },
  ]
  for (const option of options) await feed(gunzip, gzipSync(content, option), ['4', '7'])
  const small = content.subarray(0, 1500)
  const output = await feed(gunzip, gzipSync(small), ['2500', '11'])
  expect(output).toMatch(/ of 2501 accepted$/)
})

test('members one after the other, and headers with all their fields, are understood', async () => {
  const [first, second] = [gzipSync(prose), gzipSync(Buffer.alloc(0))]
  const fields = Buffer.concat([
    ...[Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16, 0, 0, 0, 0, 0, 3]), Buffer.from([3, 0, 1, 2, 3])],
    ...[Buffer.from('name\0comment\0'), first.subarray(10)],
  ])
  await feed(gunzip, Buffer.concat([first, second, fields, second, first]), ['300', '5'])
})

test('damaged archives are refused with a sentence or read, never beyond their ends', async () => {
  const archive = tar([
    {
      name: 'file',
      content: 'x'.repeat(700),
      pax: { 'SCHILY.xattr.user.a': 'b', mtime: '1.5', path: 'a/b', uid: '7' },
    },
    { name: `${'long/'.repeat(60)}name`, gnuLongName: true, gnuNumbers: true, uid: 3_000_000 },
    { name: 'link', type: '2', link: 'target', pax: { linkpath: 'x'.repeat(300) } },
    { name: 'global', type: 'g', content: '11 a=bcdef\n' },
    { name: 'device', type: '3', major: 1, minor: 3 },
    { name: 'directory/' },
  ])
  expect(await feed(headers, archive, ['20000', '3'])).toMatch(/ of 20001 accepted/)
})
