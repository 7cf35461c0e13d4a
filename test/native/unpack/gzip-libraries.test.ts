/** Which library decompresses must not be noticed: both take the same streams, give the same bytes, and refuse the same. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { constants, crc32, deflateRawSync, gzipSync, type ZlibOptions } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKernelFeature } from '../../support/kernel.ts'
import { tempDirectory } from '../../support/temp.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
const isaL = join(root, 'build/deps/isa-l')
const words = Buffer.from('the same words again and again, and other words. '.repeat(400))
const noise = randomBytes(20_000, 7)
const samples = [Buffer.alloc(0), Buffer.from('a'), words, noise, Buffer.concat([words, noise, Buffer.alloc(70_000)])]
const kinds: readonly ZlibOptions[] = [
  { level: 0 },
  { level: 1 },
  { level: 9 },
  { strategy: constants.Z_FIXED },
  { strategy: constants.Z_HUFFMAN_ONLY },
  { strategy: constants.Z_RLE },
  { windowBits: 9, memLevel: 1 },
]
const whole = kinds.flatMap((options) => samples.map((sample) => gzipSync(sample, options)))
const small = gzipSync('some text, some more text and other words')

type Library = (
  streams: readonly Uint8Array[],
  step?: { readonly bytesIn: number; readonly bytesOut: number },
) => Promise<string[]>
let zlib: Library
let other: Library
const owned = new AsyncDisposableStack()

beforeAll(async () => {
  const directory = owned.use(await tempDirectory('berth-gzip-')).path
  zlib = await build(directory, 'zlib', ['images/unpack/gzip-zlib.c', `/usr/lib/${machine()}-linux-gnu/libz.a`])
  if (!hasKernelFeature('x86')) return
  other = await build(directory, 'isa-l', [
    'images/unpack/isa-l/gzip-isa-l.c',
    '-isystem',
    isaL,
    join(isaL, 'libisal.a'),
  ])
})
afterAll(() => owned.disposeAsync())

test('zlib gives the bytes that were compressed', async () => {
  const expected = kinds.flatMap(() => samples.map((sample) => `${sample.length} ${sha256(sample)}`))
  expect(await zlib(whole)).toEqual(expected)
})

// Set-up for tests builds isa-l, or says why it cannot and ends.
describe.runIf(hasKernelFeature('x86'))('isa-l and zlib', () => {
  test.each([
    [1 << 17, 1 << 18],
    [512, 1000],
    [1, 4096],
    [7, 65_536],
    [65_536, 3],
  ])('agree on whole streams, in steps of %i bytes in and %i out', async (bytesIn, bytesOut) => {
    const members = [
      Buffer.concat([small, small]),
      Buffer.concat(whole.slice(0, 10)),
      Buffer.concat([gzipSync(''), small]),
    ]
    const verdicts = await agreed([...whole, ...members], { bytesIn, bytesOut })
    expect(verdicts.filter((verdict) => !/^\d+ [0-9a-f]{64}$/.test(verdict))).toEqual([])
  })

  test('agree on headers with every field there is', async () => {
    const verdicts = await agreed([0, 1, 2, 4, 8, 16, 31, 30, 29, 27, 23, 15].map((flags) => withHeader(flags)))
    expect(new Set(verdicts)).toEqual(new Set([`${words.length} ${sha256(words)}`]))
    const step = { bytesIn: 1, bytesOut: 4096 }
    const reserved = [32, 64, 128].map((flags) => Buffer.concat([small, withHeader(flags)]))
    expect([...(await agreed(reserved)), ...(await agreed(reserved, step))]).toEqual(Array(6).fill('refused'))
  })

  test('refuse streams that end early, wherever, and what follows them', async () => {
    const streams = [small, gzipSync(words, { level: 0 }), withHeader(31), Buffer.concat([small, withHeader(31)])]
    const cut = streams.flatMap((stream) => range(1, stream.length).map((end) => stream.subarray(0, end)))
    const garbage = ['\0', '\x1f', '\x1f\x8b', 'garbage', '\0'.repeat(512)].map((end) =>
      Buffer.concat([small, Buffer.from(end, 'latin1')]),
    )
    const verdicts = await agreed([...cut, ...garbage])
    // A member may be followed by nothing: only that end is one.
    const taken = verdicts.flatMap((verdict, index) => (/^\d/.test(verdict) ? [cut[index]?.length] : []))
    expect(taken).toEqual([small.length])
  })

  test('refuse the same damages', async () => {
    const flipped = [small, withHeader(31)].flatMap((stream) =>
      range(0, stream.length).flatMap((at) => [0x01, 0x41, 0x80, 0xff].map((bits) => withByte(stream, at, bits))),
    )
    const random = randomFrom(11)
    const mutated = range(0, 4000).map(() => {
      let stream: Uint8Array = whole[random(whole.length)] ?? small
      for (let count = 1 + random(4); count > 0; count -= 1) {
        stream = withByte(stream, random(Math.min(stream.length, 600)), 1 + random(255))
      }
      return stream
    })
    const verdicts = await agreed([...flipped, ...mutated])
    expect(verdicts.filter((verdict) => verdict === 'refused').length).toBeGreaterThan(3000)
  })

  test('refuse matches that reach back before their member, and codes that mean nothing', async () => {
    const dictionary = Buffer.from('what only the member before has said')
    const reaching = deflateRawSync(dictionary, { dictionary })
    const member = wrap(0, reaching, dictionary)
    const blocks = [
      '07',
      '0500',
      'ed c0 01 01 00 00 00 80 90 fe af ee 08',
      '04 00 fe ff',
      '63 20',
      '01 01 00 fe fe 61',
    ].map((hex) => wrap(0, Buffer.from(hex.replaceAll(' ', ''), 'hex'), Buffer.alloc(0)))
    const verdicts = await agreed([member, Buffer.concat([gzipSync(dictionary), member]), ...blocks])
    expect(verdicts.filter((verdict) => /^\d/.test(verdict))).toEqual([])
  })
})

/** What both say, which is the same. */
async function agreed(...args: Parameters<Library>): Promise<string[]> {
  const [mine, theirs] = [await other(...args), await zlib(...args)]
  const [streams] = args
  const different = streams.flatMap((stream, index) =>
    mine[index] === theirs[index]
      ? []
      : [{ stream: Buffer.from(stream).toString('base64').slice(0, 400), isaL: mine[index], zlib: theirs[index] }],
  )
  expect(different).toEqual([])
  expect(mine).toHaveLength(streams.length)
  return mine
}

async function build(directory: string, name: string, library: readonly string[]): Promise<Library> {
  const program = join(directory, name)
  const includes = [
    '-iquote',
    'images/unpack',
    '-idirafter',
    '/usr/include',
    '-idirafter',
    `/usr/include/${machine()}-linux-gnu`,
  ]
  const sources = ['test/native/unpack/gzip_verdicts.c', 'images/unpack/sha256.c']
  const flags = ['-std=gnu17', '-O2', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-static', ...includes]
  await run('musl-gcc', [...flags, '-o', program, ...sources, ...library], { cwd: root })
  return async (streams, { bytesIn, bytesOut } = { bytesIn: 1 << 17, bytesOut: 1 << 18 }) => {
    const child = spawn(program, [`${bytesIn}`, `${bytesOut}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.on('error', () => undefined)
    for (const stream of streams) child.stdin.write(Buffer.concat([lengthOf(stream), stream]))
    child.stdin.end()
    const lines = (await text(child.stdout)).split('\n').slice(0, -1)
    // What is damaged may seem cut off, and the other way round.
    return lines.map((line) => line.replace(/^(damaged|cut off)$/, 'refused'))
  }
}

const machine = () => (process.arch === 'arm64' ? 'aarch64' : 'x86_64')

/** A number from 0 on, below the limit.   @see Marsaglia, Xorshift RNGs (2003) */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}

/** A member with the fields of these flags (1 text, 2 checksum of the header, 4 extra, 8 name, 16 comment).   @see RFC 1952 */
function withHeader(flags: number): Buffer {
  return wrap(flags, deflateRawSync(words), words)
}

function wrap(flags: number, deflated: Uint8Array, content: Uint8Array): Buffer {
  const fields = [
    Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]),
    ...(flags & 4 ? [Buffer.from([5, 0, 1, 2, 3, 4, 5])] : []),
    ...(flags & 8 ? [Buffer.from('name\0')] : []),
    ...(flags & 16 ? [Buffer.from('comment\0')] : []),
  ]
  const header = Buffer.concat(fields)
  const checksum = Buffer.alloc(flags & 2 ? 2 : 0)
  if (flags & 2) checksum.writeUInt16LE(crc32(header) & 0xffff)
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(content))
  trailer.writeUInt32LE(content.length, 4)
  return Buffer.concat([header, checksum, deflated, trailer])
}

function withByte(stream: Uint8Array, at: number, bits: number): Buffer {
  const changed = Buffer.from(stream)
  changed[at] = (changed[at] ?? 0) ^ bits
  return changed
}

function lengthOf(stream: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(stream.length)
  return length
}

function randomBytes(size: number, seed: number): Buffer {
  const random = randomFrom(seed)
  return Buffer.from(range(0, size).map(() => random(256)))
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
