/** What a layer from anywhere may try, against the real child and the real kernel. */
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { type TarEntry, tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool, runUnpackTool } from '#test/support/unpack-tool.ts'

let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

/** A target directory with a file beside it that must never change. */
async function aTarget() {
  const temporary = await tempDirectory('berth-unpack-')
  const target = join(temporary.path, 'target')
  const outside = join(temporary.path, 'outside')
  await mkdir(target)
  await mkdir(outside)
  await writeFile(join(outside, 'secret'), 'untouched')
  return Object.assign(temporary, {
    target,
    async outsideIsUntouched() {
      expect(await readdir(temporary.path)).toEqual(['outside', 'target'])
      expect(await readdir(outside)).toEqual(['secret'])
      expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched')
    },
  })
}

const refused: readonly [string, readonly TarEntry[], RegExp][] = [
  ['a name that climbs out', [{ name: '../../etc/passwd', content: 'x' }], /'\.\.\/\.\.\/etc\/passwd' points outside/],
  ['a name with .. in the middle', [{ name: 'a/../../outside/x', content: 'x' }], /points outside/],
  [
    'a climbing name in an extended header',
    [{ name: 'x', content: 'x', pax: { path: '../outside/x' } }],
    /'\.\.\/outside\/x' points outside/,
  ],
  ['a hard link to what is outside', [{ name: 'a', type: '1', link: '../outside/secret' }], /points outside/],
  ['a hard link to an absolute path', [{ name: 'a', type: '1', link: '/etc/passwd' }], /not in this layer/],
  [
    'a hard link through a symlink',
    [
      { name: 'up', type: '2', link: '../outside' },
      { name: 'a', type: '1', link: 'up/secret' },
    ],
    /not in this layer/,
  ],
  ['a hard link to itself', [{ name: 'a', type: '1', link: './a' }], /hard link to itself/],
  ['a whiteout of ..', [{ name: 'a/.wh...', content: '' }], /names no file/],
  ['a whiteout of .', [{ name: 'a/.wh..', content: '' }], /names no file/],
  ['a whiteout of nothing', [{ name: '.wh.', content: '' }], /names no file/],
  [
    'a whiteout through a climbing symlink',
    [
      { name: 'up', type: '2', link: '../outside' },
      { name: 'up/.wh.secret', content: '' },
    ],
    /'up'/,
  ],
  [
    'a file used as a directory',
    [
      { name: 'a', content: 'x' },
      { name: 'a/b', content: 'x' },
    ],
    /'a' is used as a directory/,
  ],
  ['a root that is a file', [{ name: './', type: '0', content: 'x' }], /root of the layer is not a directory/],
  ['an owner that does not exist', [{ name: 'a', pax: { uid: '4294967295' } }], /bad owner/],
  ['a negative size', [{ name: 'a', gnuNumbers: true, size: -1 }], /bad size/],
  ['a sparse file of GNU tar', [{ name: 'a', type: 'S', content: 'x' }], /'a': sparse files are not supported/],
  ['a sparse file of pax', [{ name: 'a', pax: { 'GNU.sparse.major': '1' } }], /sparse files are not supported/],
  ['an unknown type', [{ name: 'a', type: 'Z' }], /'a' is of the unknown type 0x5a/],
  ['a name longer than any path', [{ name: 'a', pax: { path: 'a/'.repeat(2100) } }], /bad value for 'path'/],
  ['a part longer than any name', [{ name: 'a', pax: { path: 'a'.repeat(256) } }], /too long/],
  ['a NUL in a name', [{ name: 'a', pax: { path: 'a\0b' } }], /bad value for 'path'/],
  [
    'a huge extended header',
    [{ name: 'a', pax: { comment: 'x'.repeat((1 << 20) + 1) } }],
    /extended header is larger than 1048576/,
  ],
  ['a huge attribute', [{ name: 'a', pax: { 'SCHILY.xattr.user.x': 'x'.repeat(65_537) } }], /'user.x' is too large/],
  ['a record with a lying length', [{ name: 'pax', type: 'x', content: '999 path=x\n' }], /bad length/],
  ['a record of length 0', [{ name: 'pax', type: 'x', content: '0 path=x\n' }], /bad length/],
  ['a device number out of range', [{ name: 'a', type: '3', major: 0o7777777, minor: 0 }], /bad device number/],
]

describe.each(['--overlay', '--plain'])('unpacking %s', (format) => {
  test.each(refused)('%s is refused with a sentence, and nothing outside changes', async (_, entries, message) => {
    await using place = await aTarget()
    const result = await runUnpackTool(tool, place.target, tar(entries), [format])
    expect(result.message).toMatch(message)
    expect(result).toMatchObject({ code: 1, output: '' })
    await place.outsideIsUntouched()
  })

  test('a symlink out of the layer is only data: what goes through it stays inside', async () => {
    await using place = await aTarget()
    const archive = tar([
      { name: 'absolute', type: '2', link: '/etc' },
      { name: 'etc/', type: '5' },
      { name: 'absolute/passwd', content: 'inside' },
      { name: 'climbing', type: '2', link: '../../../../etc' },
      { name: 'climbing/group', content: 'inside too' },
      { name: '/leading/slash', content: 'x' },
    ])
    expect(await runUnpackTool(tool, place.target, archive, [format])).toMatchObject({ code: 0, message: '' })
    expect(await readFile(join(place.target, 'etc/passwd'), 'utf8')).toBe('inside')
    expect(await readFile(join(place.target, 'etc/group'), 'utf8')).toBe('inside too')
    expect(await readFile(join(place.target, 'leading/slash'), 'utf8')).toBe('x')
    await place.outsideIsUntouched()
  })

  test('a symlink in the place of a file is replaced, not followed', async () => {
    await using place = await aTarget()
    const archive = tar([
      { name: 'a', type: '2', link: '../outside/secret' },
      { name: 'a', content: 'mine' },
    ])
    expect(await runUnpackTool(tool, place.target, archive, [format])).toMatchObject({ code: 0 })
    expect(await readFile(join(place.target, 'a'), 'utf8')).toBe('mine')
    await place.outsideIsUntouched()
  })
})

const file = tar([{ name: 'a', content: Buffer.alloc(100_000, 'berth ') }])

function compressed(program: string): Buffer {
  return execFileSync(program, ['-c'], { input: file })
}

const damaged: readonly [string, Uint8Array, RegExp][] = [
  ['a gzip stream that is cut off', gzipSync(file).subarray(0, -20), /gzip stream of the layer is cut off/],
  ['a gzip stream with a wrong checksum', flip(gzipSync(file), -6), /gzip stream of the layer is damaged/],
  ['garbage behind a gzip stream', Buffer.concat([gzipSync(file), Buffer.from('garbage')]), /damaged/],
  ['a zstd stream that is cut off', zstdCompressSync(file).subarray(0, -5), /zstd stream of the layer is cut off/],
  ['a damaged zstd stream', flip(zstdCompressSync(file), 12), /zstd stream of the layer is damaged/],
  ['an archive that is cut off in a header', file.subarray(0, 300), /cut off after 300 bytes/],
  ['an archive that is cut off in a file', file.subarray(0, 5000), /cut off inside of 'a'/],
  ['a damaged header', flip(file, 3), /checksum of a header is wrong/],
  ['a text', Buffer.from('<html>404</html>'.repeat(100)), /this is no tar archive/],
  ['a damaged xz stream', flip(compressed('xz'), -40), /xz stream of the layer is damaged/],
  ['an xz stream that is cut off', compressed('xz').subarray(0, -20), /xz stream of the layer is cut off/],
  ['a damaged bzip2 stream', flip(compressed('bzip2'), 60), /bzip2 stream of the layer is damaged/],
  ['a bzip2 stream that is cut off', compressed('bzip2').subarray(0, -5), /bzip2 stream of the layer is cut off/],
]

test.each(damaged)('%s is refused with its cause', async (_, bytes, message) => {
  await using place = await aTarget()
  const result = await runUnpackTool(tool, place.target, bytes)
  expect(result.message).toMatch(message)
  expect(result).toMatchObject({ code: 1, output: '' })
})

test('an error never carries control characters of a name', async () => {
  await using place = await aTarget()
  const result = await runUnpackTool(tool, place.target, tar([{ name: '../\x1b[2J\nfake: line' }]))
  expect(result.message).toBe("'../?[2J?fake: line' points outside of the layer with '..'\n")
})

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const index = at < 0 ? copy.length + at : at
  copy[index] = (copy[index] ?? 0) ^ 0xff
  return copy
}
