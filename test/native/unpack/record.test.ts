/** The record that is written while a layer is unpacked is the one that reading the tree again would give, byte for byte. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { randomFrom } from '#test/support/random.ts'
import { type TarEntry, tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'

let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

interface Recorded {
  readonly code: number
  readonly message: string
  /** Written by the unpacking, and by reading what it made. */
  readonly records: readonly [Buffer, Buffer]
}

async function recorded(pieces: readonly Uint8Array[], format: string): Promise<Recorded> {
  await using directory = await tempDirectory('berth-unpack-')
  const [tree, during, after] = ['tree', 'during', 'after'].map((name) => join(directory.path, name))
  if (tree === undefined || during === undefined || after === undefined) throw new Error('no names')
  await mkdir(tree)
  const unpacking = await run([format, '--recorded'], pieces, { tree, record: during })
  if (unpacking.code !== 0) return { ...unpacking, records: [Buffer.alloc(0), Buffer.alloc(0)] }
  const reading = await run(['--record'], [], { tree, output: after })
  return { ...reading, records: [await readFile(during), await readFile(after)] }
}

async function run(
  args: readonly string[],
  pieces: readonly Uint8Array[],
  { tree, record, output }: { readonly tree: string; readonly record?: string; readonly output?: string },
): Promise<{ readonly code: number; readonly message: string }> {
  await using opened = new AsyncDisposableStack()
  const target = opened.use(await open(tree, 'r'))
  const written = record === undefined ? undefined : opened.use(await open(record, 'wx'))
  const answer = output === undefined ? 'ignore' : opened.use(await open(output, 'wx')).fd
  const child = spawn(tool, args, { stdio: ['pipe', answer, 'pipe', target.fd, ...(written ? [written.fd] : [])] })
  if (!child.stdin || !child.stderr) throw new Error('no pipes')
  child.stdin.on('error', () => undefined)
  const ended = Promise.all([text(child.stderr), once(child, 'close')])
  for (const piece of pieces) {
    child.stdin.write(piece)
    await turn()
  }
  child.stdin.end()
  const [message, [code]] = await ended
  return { code, message }
}

const file = (name: string, size = 5): TarEntry => ({ name, content: Buffer.alloc(size, name) })
const lengths = [0, 1, 55, 56, 63, 64, 65, 127, 128, 511, 512, 513, 4096, 5000, 1_048_575, 1_048_576, 2_500_001]
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
/** user::rwx, user:7:r--, group::r-x, mask::r-x, other::--- (POSIX 1003.1e, version 2 of its form). */
const accessList = Buffer.from(
  '02000000 0100 0700 ffffffff 0200 0400 07000000 0400 0500 ffffffff 1000 0500 ffffffff 2000 0000 ffffffff'.replaceAll(
    ' ',
    '',
  ),
  'hex',
)

describe.each(['--overlay', '--plain'])('the record of unpacking %s is that of reading', (format) => {
  test.each<readonly [string, readonly TarEntry[]]>([
    ['files of all lengths', lengths.map((size) => file(`${size}`, size))],
    ['a file that a later one replaces', [file('a', 10), file('a', 20), file('b', 3)]],
    [
      'names of one file, also of one whose first name is gone',
      [
        file('a', 99),
        { name: 'b', type: '1', link: 'a' },
        file('c', 7),
        { name: 'd', type: '1', link: 'c' },
        file('c', 8),
      ],
    ],
    [
      'what is no file',
      [
        { name: 'dir/', mode: 0o1777, uid: 3 },
        { name: 'link', type: '2', link: '/etc/anything' },
        { name: 'null', type: '3', major: 1, minor: 3 },
        { name: 'fifo', type: '6' },
        file('made/parents/file'),
      ],
    ],
    [
      'attributes',
      [
        { ...file('ping'), mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability } },
        { name: 'noted/', pax: { 'SCHILY.xattr.user.note': 'n' } },
        { ...file('noted/file', 70), pax: { 'SCHILY.xattr.user.note': 'n', 'SCHILY.xattr.user.other': 'o' } },
      ],
    ],
    [
      'access lists that are passed on',
      [
        file('before', 64),
        { name: 'shared/', pax: { 'SCHILY.xattr.system.posix_acl_default': accessList } },
        { ...file('shared/file', 100), mode: 0o664 },
        { name: 'shared/below/' },
        { ...file('shared/below/file', 100), mode: 0o600 },
        { name: 'set/', mode: 0o2755, gid: 9 },
        file('set/file', 64),
      ],
    ],
    [
      'directories that hide what is below them',
      [
        { name: 'opaque/.wh..wh..opq' },
        file('opaque/a'),
        { name: '.wh.gone' },
        { name: '.wh.replaced' },
        { name: 'replaced/' },
        { name: '.wh..wh..opq' },
      ],
    ],
    [
      'a directory in the place of one that was opaque',
      [
        { name: 'dir/.wh..wh..opq' },
        file('dir', 3),
        { name: 'dir/' },
        { name: 'dir/sub/' },
        { name: 'dir/sub/.wh..wh..opq' },
        file('dir'),
        { name: 'fresh/' },
        { name: 'fresh/sub/' },
      ],
    ],
  ])('for %s', async (_, entries) => {
    const archive = tar(entries)
    const result = await recorded([archive], format)
    expect(result).toMatchObject({ code: 0, message: '' })
    expect(result.records[0].equals(result.records[1])).toBe(true)
    expect(result.records[0].length).toBeGreaterThan(100)
  })

  test('for an archive that arrives in pieces of any length', async () => {
    const random = randomFrom(7)
    const archive = tar([file('a', 100_000), file('b', 1000), file('c', 777)])
    const pieces: Buffer[] = []
    for (let at = 0; at < archive.length; ) {
      const size = 1 + Math.floor(random() ** 4 * 20_000)
      pieces.push(archive.subarray(at, at + size))
      at += size
    }
    const result = await recorded(pieces, format)
    expect(result).toMatchObject({ code: 0, message: '' })
    expect(result.records[0].equals(result.records[1])).toBe(true)
  })

  test('for archives at random', async () => {
    let accepted = 0
    for (let seed = 1; seed <= 24; seed += 1) {
      const result = await recorded([tar(randomEntries(seed))], format)
      if (result.code === 0) accepted += 1
      expect([seed, result.records[0].equals(result.records[1])]).toEqual([seed, true])
    }
    expect(accepted).toBeGreaterThan(12)
  })
})

/** Few names for many entries: most meet another of their name, some one in the place of their parent. */
function randomEntries(seed: number): TarEntry[] {
  const random = randomFrom(seed)
  const one = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }
  const parents = () => Array.from({ length: Math.floor(random() * 3) }, () => `${one(['d', 'e'])}/`).join('')
  const path = () => `${parents()}${one(random() < 0.1 ? ['d', 'e'] : ['a', 'b', 'c'])}`
  const makers: readonly (() => TarEntry)[] = [
    () => file(path(), Math.floor(random() * 2000)),
    () => ({ name: `${parents()}d/` }),
    () => ({ name: `${parents()}e/`, mode: one([0o755, 0o2755]), gid: 12 }),
    () => ({ name: `${parents()}.wh..wh..opq` }),
    () => ({ name: `${parents()}.wh.${one(['a', 'b', 'd', 'e'])}` }),
    () => ({ name: path(), type: '2', link: one(['a', 'd/e', '/e/d']) }),
    () => ({ ...file(path(), 100), pax: { 'SCHILY.xattr.user.note': 'n' } }),
  ]
  return Array.from({ length: 12 }, () => one(makers)())
}
