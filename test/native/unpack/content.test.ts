/** What a layer says is what stands on disk afterwards. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstat, mkdir, open, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { type TarEntry, tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool, runUnpackTool } from '#test/support/unpack-tool.ts'

const run = promisify(execFile)
let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

function compressed(program: string, bytes: Uint8Array, ...options: string[]): Buffer {
  return execFileSync(program, ['-c', ...options], { input: bytes })
}

const halves = (bytes: Buffer): Buffer[] => [bytes.subarray(0, 700), bytes.subarray(700)]

async function unpacked(archive: Uint8Array, format = '--overlay') {
  const directory = await tempDirectory('berth-unpack-')
  const result = await runUnpackTool(tool, directory.path, archive, [format])
  expect(result).toMatchObject({ code: 0, message: '' })
  const counts: Record<string, unknown> = JSON.parse(result.output)
  return Object.assign(directory, { counts, at: (name: string) => join(directory.path, name) })
}

const entries: readonly TarEntry[] = [
  { name: 'dir/', mode: 0o1777, uid: 3, gid: 4, mtime: 1_500_000_000 },
  { name: 'dir/file', content: 'hello', mode: 0o640, uid: 1000, gid: 2000, mtime: 1_600_000_000 },
  { name: 'dir/setuid', content: 'x', mode: 0o6755, uid: 1000, gid: 1000 },
  { name: 'dir/hard', type: '1', link: 'dir/file' },
  { name: 'link', type: '2', link: '/etc/anything', uid: 7, gid: 8 },
  { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
  { name: 'disk', type: '4', major: 8, minor: 1, mode: 0o660, gid: 6 },
  { name: 'fifo', type: '6', mode: 0o622 },
  { name: 'implied/parents/file', content: '' },
]

test.each([
  ['uncompressed', tar(entries)],
  ['gzip', gzipSync(tar(entries))],
  [
    'gzip in two members',
    Buffer.concat([gzipSync(tar(entries).subarray(0, 700)), gzipSync(tar(entries).subarray(700))]),
  ],
  ['zstd', zstdCompressSync(tar(entries))],
  ['xz', compressed('xz', tar(entries))],
  ['xz with the largest dictionary', compressed('xz', tar(entries), '-9e')],
  ['xz in two streams', Buffer.concat(halves(tar(entries)).map((half) => compressed('xz', half)))],
  ['bzip2', compressed('bzip2', tar(entries))],
  ['bzip2 in two streams', Buffer.concat(halves(tar(entries)).map((half) => compressed('bzip2', half)))],
  ['without an end mark', tar(entries, { end: false })],
  ['with padding behind the end', Buffer.concat([tar(entries), Buffer.alloc(9000)])],
])('an archive that is %s gives files with owner, mode, time and kind', async (name, archive) => {
  await using tree = await unpacked(archive)
  expect(await stat(tree.at('dir'))).toMatchObject({ uid: 3, gid: 4, mode: 0o41777, mtimeMs: 1_500_000_000_000 })
  expect(await stat(tree.at('dir/file'))).toMatchObject({
    ...{ uid: 1000, gid: 2000, mode: 0o100640, mtimeMs: 1_600_000_000_000, nlink: 2, size: 5 },
  })
  expect(await stat(tree.at('dir/setuid'))).toMatchObject({ uid: 1000, gid: 1000, mode: 0o106755 })
  expect((await stat(tree.at('dir/hard'))).ino).toBe((await stat(tree.at('dir/file'))).ino)
  expect(await lstat(tree.at('link'))).toMatchObject({ uid: 7, gid: 8 })
  expect(await readlink(tree.at('link'))).toBe('/etc/anything')
  expect(await stat(tree.at('null'))).toMatchObject({ mode: 0o020666, rdev: 0x103 })
  expect(await stat(tree.at('disk'))).toMatchObject({ mode: 0o060660, rdev: 0x801, gid: 6 })
  expect(await stat(tree.at('fifo'))).toMatchObject({ mode: 0o010622 })
  expect(await stat(tree.at('implied/parents'))).toMatchObject({ uid: 0, gid: 0, mode: 0o040755 })

  const plain = name.startsWith('with') ? archive : tar(entries)
  const diffId = `sha256:${createHash('sha256').update(plain).digest('hex')}`
  expect(tree.counts).toMatchObject({ diffId, size: plain.length, entries: entries.length, inodes: 10 })
})

test('the digest is right for archives of any length', async () => {
  for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 511, 512, 70_000, (1 << 20) + 7]) {
    const archive = Buffer.concat([tar([]), Buffer.alloc(size, 1)])
    await using tree = await unpacked(archive)
    expect(tree.counts.diffId).toBe(`sha256:${createHash('sha256').update(archive).digest('hex')}`)
  }
})

test('extended headers, GNU names and binary numbers are understood', async () => {
  const long = `${'long-directory-name/'.repeat(20)}file`
  await using tree = await unpacked(
    tar([
      { name: 'global', type: 'g', content: '30 comment=nothing for layers\n' },
      {
        name: 'short',
        content: 'pax',
        pax: { path: long, mtime: '1600000000.123456789', uid: '3000000', gid: '4000000000' },
      },
      { name: `gnu/${long}`, content: 'gnu', gnuLongName: true },
      { name: 'binary', content: 'b', gnuNumbers: true, uid: 2_097_152, mtime: 4_000_000_000 },
      { name: 'before-1970', content: '', gnuNumbers: true, mtime: -5 },
      { name: 'link', type: '2', pax: { linkpath: `/${long}` } },
      { name: 'old', type: '\0', content: 'v7' },
      { name: 'old-directory/', type: '\0' },
    ]),
  )
  const file = await stat(tree.at(long), { bigint: true })
  expect(file).toMatchObject({ uid: 3_000_000n, gid: 4_000_000_000n, mtimeNs: 1_600_000_000_123_456_789n })
  expect(await readFile(tree.at(`gnu/${long}`), 'utf8')).toBe('gnu')
  expect(await stat(tree.at('binary'))).toMatchObject({ uid: 2_097_152, mtimeMs: 4_000_000_000_000 })
  expect((await stat(tree.at('before-1970'))).mtimeMs).toBe(0)
  expect(await readlink(tree.at('link'))).toBe(`/${long}`)
  expect((await stat(tree.at('old-directory'))).isDirectory()).toBe(true)
})

test('attributes of files are kept, those that would steer the host are not', async () => {
  // cap_net_raw+ep, as ping has it: VFS_CAP_REVISION_2 with the effective bit (capability.h).
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
  await using tree = await unpacked(
    tar([
      {
        ...{ name: 'ping', content: 'x', mode: 0o755, uid: 5 },
        pax: {
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.user.note': 'with = and \n in it',
          'SCHILY.xattr.trusted.overlay.opaque': 'y',
          'SCHILY.xattr.security.selinux': 'system_u',
        },
      },
      { name: 'dir/', pax: { 'SCHILY.xattr.user.note': 'd', 'SCHILY.xattr.trusted.overlay.redirect': '/etc' } },
    ]),
  )
  const script =
    'import os,sys\nfor p in sys.argv[1:]:\n  print(sorted((n, os.getxattr(p, n).hex()) for n in os.listxattr(p)))'
  const { stdout } = await run('python3', ['-c', script, tree.at('ping'), tree.at('dir')])
  const note = Buffer.from('with = and \n in it').toString('hex')
  expect(stdout.split('\n')).toEqual([
    `[('security.capability', '${capability.toString('hex')}'), ('user.note', '${note}')]`,
    `[('user.note', '64')]`,
    '',
  ])
  expect(tree.counts.skippedXattrs).toBe(3)
})

describe.each(['--overlay', '--plain'])('of two entries with one name, %s,', (format) => {
  test.each<readonly [string, readonly TarEntry[], readonly string[]]>([
    [
      'the later file wins',
      [
        { name: 'a', content: '1' },
        { name: 'a', content: '22' },
      ],
      ['a file 2'],
    ],
    [
      'a file replaces a directory',
      [
        { name: 'a/b/c', content: 'x' },
        { name: 'a', content: '1' },
      ],
      ['a file 1'],
    ],
    [
      'a directory replaces a file',
      [{ name: 'a', content: '1' }, { name: 'a/' }, { name: 'a/b', content: '' }],
      ['a directory', 'a/b file 0'],
    ],
    [
      'directories merge',
      [{ name: 'a/b', content: '1' }, { name: 'a/' }, { name: 'a/c', content: '' }],
      ['a directory', 'a/b file 1', 'a/c file 0'],
    ],
    [
      'a replaced hard link leaves the other name alone',
      [
        { name: 'a', content: '1' },
        { name: 'b', type: '1', link: 'a' },
        { name: 'b', content: '22' },
      ],
      ['a file 1', 'b file 2'],
    ],
    [
      'the cached parent is not mistaken for its successor',
      [{ name: 'a/x', content: '' }, { name: 'a', content: '' }, { name: 'a/' }, { name: 'a/y', content: '' }],
      ['a directory', 'a/y file 0'],
    ],
  ])('%s', async (_, archive, expected) => {
    await using tree = await unpacked(tar(archive), format)
    const found = (await readdir(tree.path, { recursive: true })).sort()
    const described = found.map(async (name) => {
      const info = await lstat(tree.at(name))
      return info.isDirectory() ? `${name} directory` : `${name} file ${info.size}`
    })
    expect(await Promise.all(described)).toEqual(expected)
  })
})

test('files made below a directory with the setgid bit have the group that the layer says', async () => {
  await using tree = await unpacked(
    tar([
      { name: 'shared/', mode: 0o2775, gid: 50 },
      { name: 'shared/file', content: 'x' },
      { name: 'shared/dir/', mode: 0o755 },
    ]),
  )
  expect(await stat(tree.at('shared'))).toMatchObject({ mode: 0o42775, gid: 50 })
  expect(await stat(tree.at('shared/file'))).toMatchObject({ gid: 0 })
  expect(await stat(tree.at('shared/dir'))).toMatchObject({ gid: 0, mode: 0o40755 })
})

test('in a plain tree a whiteout takes away what was there before and keeps what this layer brings', async () => {
  await using tree = await tempDirectory('berth-unpack-')
  for (const name of ['gone', 'dir/old', 'dir/sub/old', 'opaque/old', 'opaque/sub/old', 'kept']) {
    await mkdir(join(tree.path, name, '..'), { recursive: true })
    await writeFile(join(tree.path, name), 'old')
  }
  const archive = tar([
    { name: '.wh.gone', content: '' },
    { name: 'dir/sub/new', content: 'n' },
    { name: '.wh.dir', content: '' },
    { name: 'opaque/new', content: 'n' },
    { name: 'opaque/sub/new', content: 'n' },
    { name: 'opaque/.wh..wh..opq', content: '' },
    { name: '.wh.never-was', content: '' },
    { name: '.wh..wh.plnk', content: '' },
  ])
  expect(await runUnpackTool(tool, tree.path, archive, ['--plain'])).toMatchObject({ code: 0, message: '' })
  expect((await readdir(tree.path, { recursive: true })).sort()).toEqual([
    ...['dir', 'dir/sub', 'dir/sub/new', 'kept', 'opaque', 'opaque/new', 'opaque/sub', 'opaque/sub/new'],
  ])
})

test('for overlay, whiteouts become what the kernel hides lower files by, in any order', async () => {
  await using lower = await unpacked(
    tar([
      ...['gone', 'dir/old', 'replaced/old', 'opaque/old', 'early/old', 'kept'].map((name) => ({
        name,
        content: 'old',
      })),
    ]),
  )
  await using upper = await unpacked(
    tar([
      { name: '.wh.gone', content: '' },
      { name: '.wh.dir', content: '' },
      { name: '.wh.replaced', content: '' },
      { name: 'replaced/', mode: 0o700 },
      { name: 'replaced/new', content: 'n' },
      { name: 'early/new', content: 'n' },
      { name: '.wh.early', content: '' },
      { name: 'opaque/.wh..wh..opq', content: '' },
      { name: 'opaque/new', content: 'n' },
    ]),
  )
  await using at = await tempDirectory('berth-unpack-')
  const script = `mount -t overlay overlay -o lowerdir=${upper.path}:${lower.path} ${at.path} && cd ${at.path} && find . -mindepth 1 | sort`
  const { stdout } = await run('unshare', ['--mount', 'sh', '-c', script])
  expect(stdout.trim().split('\n')).toEqual([
    ...['./early', './early/new', './kept', './opaque', './opaque/new', './replaced', './replaced/new'],
  ])
  expect(await lstat(upper.at('gone'))).toMatchObject({ rdev: 0 })
})

test.each([
  ['plain', Buffer.from('any bytes')],
  ['gzip', gzipSync('any bytes')],
  ['xz', compressed('xz', Buffer.from('any bytes'))],
  ['bzip2', compressed('bzip2', Buffer.from('any bytes'))],
])('--inflate writes what is %s plain, whatever it holds, and tells its digest', async (_, input) => {
  await using directory = await tempDirectory('berth-unpack-')
  await mkdir(join(directory.path, 'empty'))
  await using empty = await open(join(directory.path, 'empty'), 'r')
  await using output = await open(join(directory.path, 'plain'), 'w')
  const stdio = ['pipe', 'pipe', 'pipe', empty.fd, output.fd] as const
  const { status, stdout } = spawnSync(tool, ['--inflate'], { input, stdio: [...stdio], encoding: 'utf8' })
  expect(status).toBe(0)
  expect(await readFile(join(directory.path, 'plain'), 'utf8')).toBe('any bytes')
  const hex = createHash('sha256').update('any bytes').digest('hex')
  expect(JSON.parse(stdout)).toMatchObject({ diffId: `sha256:${hex}`, size: 9, entries: 0 })
  expect(await readdir(join(directory.path, 'empty'))).toEqual([])
})
