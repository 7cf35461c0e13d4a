/** Trees become archives and lists of changes, by the real child on real overlay mounts. */
import { execFile } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '#base/digest.ts'
import { type TarEntry, tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool, runPackTool, runUnpackTool } from '#test/support/unpack-tool.ts'
import { aContainer, type Layers, randomScript } from './container.ts'

const run = promisify(execFile)
let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

async function pack({ upper, lowers }: Pick<Layers, 'upper' | 'lowers'>, ...options: string[]) {
  const result = await runPackTool(tool, [upper, ...lowers], ['--pack', ...options])
  expect(result.message).toBe('')
  const { diffId, size, entries } = JSON.parse(result.output)
  expect({ diffId, size }).toEqual({ diffId: digestOf(result.archive), size: result.archive.length })
  return { archive: result.archive, entries }
}

async function changes({ upper, lowers }: Layers, ...options: string[]): Promise<string[]> {
  const result = await runPackTool(tool, [upper, ...lowers], ['--changes', ...options])
  expect(result.message).toBe('')
  return result.output.split('\0').slice(0, -1)
}

async function listed(archive: Buffer): Promise<string[]> {
  const { path, ...temporary } = await tempDirectory('berth-list-')
  await writeFile(join(path, 'tar'), archive)
  const { stdout } = await run('tar', ['--quoting-style=literal', '-tf', join(path, 'tar')])
  await temporary[Symbol.asyncDispose]()
  return stdout.split('\n').slice(0, -1)
}

/** Everything that GNU tar makes of an archive: type, owner, mode, time, content, and which names are one file. */
async function extracted(archive: string, where: string): Promise<Record<string, string>> {
  const directory = await mkdtemp(join(where, 'extracted-'))
  await run('tar', [
    '-C',
    directory,
    '--numeric-owner',
    '--same-owner',
    '--xattrs',
    '--xattrs-include=*',
    '-xpf',
    archive,
  ])
  const seen: Record<string, string> = {}
  const first = new Map<bigint, string>()
  const walk = async (path: string): Promise<void> => {
    const st = await lstat(join(directory, path), { bigint: true })
    const name = path === '' ? '.' : path
    const link = st.isDirectory() ? name : (first.get(st.ino) ?? name)
    first.set(st.ino, link)
    const time = st.isSymbolicLink() ? 0n : st.mtimeNs
    const facts = [st.mode.toString(8), st.uid, st.gid, st.rdev, time, link]
    if (st.isSymbolicLink()) facts.push(await readlink(join(directory, path)))
    if (st.isFile()) facts.push(digestOf(await readFile(join(directory, path))))
    // What the root of a container is like stands in no archive of it.
    if (path !== '') seen[name] = facts.join(' ')
    if (!st.isDirectory()) return
    for (const child of await readdir(join(directory, path))) await walk(join(path, child))
  }
  await walk('')
  return seen
}

const base: readonly TarEntry[] = [
  { name: 'etc/' },
  { name: 'etc/motd', content: 'hello' },
  { name: 'etc/other', content: 'other', pax: { 'SCHILY.xattr.user.note': 'kept', mtime: '1700000000.123456789' } },
  { name: 'etc/linked', type: '1', link: 'etc/other' },
  { name: 'gone/' },
  { name: 'gone/file', content: 'x' },
  { name: 'replaced/' },
  { name: 'replaced/old', content: 'x' },
  { name: 'replaced/sub/' },
  { name: 'replaced/sub/old', content: 'x' },
  { name: 'untouched', content: 'x' },
]

test('a layer brings what was added, changed and deleted, with the directories that lead there', async () => {
  await using container = await aContainer(
    tool,
    [base],
    `echo new >etc/new; rm -r gone replaced; mkdir replaced replaced/sub; echo 1 >replaced/sub/new
     echo more >>etc/motd; mknod null c 1 3; mkfifo pipe; ln -s /etc/motd link; ln etc/new etc/same`,
  )
  const { archive, entries } = await pack(container)
  const names = await listed(archive)
  expect(names).toEqual([
    ...['.wh.gone', 'link', 'null', 'pipe', 'etc/', 'etc/motd', 'etc/new', 'etc/same'],
    ...['replaced/', 'replaced/.wh..wh..opq', 'replaced/sub/', 'replaced/sub/new'],
  ])
  expect(entries).toBe(names.length)
  expect(await changes(container)).toEqual([
    ...['C/etc', 'C/etc/motd', 'A/etc/new', 'A/etc/same', 'D/gone', 'A/link', 'A/null', 'A/pipe'],
    ...['C/replaced', 'D/replaced/old', 'C/replaced/sub', 'A/replaced/sub/new', 'D/replaced/sub/old'],
  ])
})

test('what was only looked at, or written back as it was, is in no list', async () => {
  await using container = await aContainer(
    tool,
    [base],
    'touch -r etc/motd stamp; chmod 644 etc/motd; rm stamp; : >>etc/other',
  )
  expect(await changes(container)).toEqual([])
  expect(await listed((await pack(container)).archive)).toContain('etc/motd')
})

test('the places of a container’s own mounts are left out, and nothing else is', async () => {
  const places = 'mkdir -p dev proc sys etc; : >etc/hosts; : >etc/hostname; : >etc/resolv.conf'
  await using untouched = await aContainer(tool, [[{ name: 'bin/' }]], places)
  expect(await changes(untouched, '--without-mount-points')).toEqual([])
  // The digest of an archive without entries: by it Docker knows a layer that changes nothing.
  expect(digestOf((await pack(untouched, '--without-mount-points')).archive)).toBe(
    'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
  )
  await using used = await aContainer(
    tool,
    [[{ name: 'etc/' }, { name: 'etc/hosts' }]],
    `${places}; echo x >etc/mine; echo y >proc/mine`,
  )
  expect(await listed((await pack(used, '--without-mount-points')).archive)).toEqual([
    ...['etc/', 'etc/hosts', 'etc/mine', 'proc/', 'proc/mine'],
  ])
})

test('names, owners, times, sizes and attributes that plain headers have no room for come back', async () => {
  const long = 'n'.repeat(200)
  await using container = await aContainer(
    tool,
    [base],
    `chmod 600 etc/other; mkdir -p ${long}/${long}; echo x >${long}/${long}/ä; ln -s ${'t'.repeat(300)} symlink
     : >owned; chown 3000000:4000000000 owned; touch -d '2026-01-02 03:04:05.678901234' owned; truncate -s 3M sparse
     : >early; touch -d '1960-01-01' early; chmod 6755 owned; printf 'a' >"new
line"; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' || :`,
  )
  const { archive } = await pack(container)
  const again = join(container.path, 'again')
  await mkdir(again)
  const unpacked = await runUnpackTool(tool, again, archive, ['--overlay'])
  expect(unpacked.message).toBe('')
  const owned = await lstat(join(again, 'owned'), { bigint: true })
  expect(owned).toMatchObject({ uid: 3_000_000n, gid: 4_000_000_000n, mode: 0o106755n })
  expect(owned.mtimeNs % 1_000_000_000n).toBe(678_901_234n)
  expect((await lstat(join(again, 'early'))).mtimeMs).toBe(0)
  expect(await readlink(join(again, 'symlink'))).toBe('t'.repeat(300))
  expect(await readFile(join(again, long, long, 'ä'), 'utf8')).toBe('x\n')
  expect((await lstat(join(again, 'sparse'))).size).toBe(3 << 20)
  expect(archive.includes('SCHILY.xattr.user.note=kept')).toBe(true)
  expect(await listed(archive)).not.toContain('socket')
  expect((await pack({ upper: again, lowers: container.lowers })).archive.equals(archive)).toBe(true)
})

describe('what no layer can hold is refused by name', () => {
  test('a file whose name would delete another one', async () => {
    await using container = await aContainer(tool, [base], 'mkdir a; : >a/.wh.passwd')
    const result = await runPackTool(tool, [container.upper, ...container.lowers], ['--pack'])
    expect(result).toMatchObject({ code: 1 })
    expect(result.message).toMatch(/^'a\/\.wh\.passwd' has no place in a layer/)
    // An archive of the whole tree means nothing by it.
    const exported = await runPackTool(tool, [container.upper, ...container.lowers], ['--export'])
    expect(await listed(exported.archive)).toContain('a/.wh.passwd')
  })

  test('more bytes than allowed, told before they are written', async () => {
    await using container = await aContainer(tool, [base], 'truncate -s 1T large')
    const result = await runPackTool(
      tool,
      [container.upper, ...container.lowers],
      ['--pack', '--limit-bytes', '100000'],
    )
    expect(result).toMatchObject({ code: 1, message: "'large' has more than 100000 bytes\n" })
  })

  test('more files than allowed', async () => {
    await using container = await aContainer(tool, [base], 'for i in 1 2 3 4 5 6 7 8 9; do : >file$i; done')
    for (const job of ['--pack', '--export', '--changes']) {
      const result = await runPackTool(tool, [container.upper, ...container.lowers], [job, '--limit-entries', '5'])
      expect(result).toMatchObject({ code: 1, message: expect.stringMatching(/has more than 5 (entries|files)/) })
    }
  })

  test('directories that are deeper than any path', async () => {
    const deep = `mkdir deep; for i in $(seq 20); do mkdir up; mv deep up/${'d'.repeat(250)}; mv up deep; done`
    await using container = await aContainer(tool, [base], deep)
    for (const job of ['--pack', '--export', '--changes']) {
      const result = await runPackTool(tool, [container.upper, ...container.lowers], [job])
      expect(result).toMatchObject({ code: 1, message: expect.stringMatching(/nested too deeply/) })
    }
    // Node's rm goes by paths.
    expect((await runUnpackTool(tool, container.upper, Buffer.alloc(0), ['--remove'])).message).toBe('')
  })
})

test('whole trees are compared by what they hold', async () => {
  await using temporary = await tempDirectory('berth-pack-')
  const [before, after] = [join(temporary.path, 'before'), join(temporary.path, 'after')]
  await mkdir(before)
  await runUnpackTool(tool, before, tar(base), ['--plain'])
  await run('cp', ['-a', before, after])
  await run('sh', ['-c', 'rm -r gone; rm replaced/old; echo x >>etc/motd; : >new; chmod 700 replaced/sub'], {
    cwd: after,
  })
  const trees = { upper: after, lowers: [before] }
  expect(await listed((await pack(trees, '--whole-trees')).archive)).toEqual([
    ...['.wh.gone', 'new', 'etc/', 'etc/motd', 'replaced/', 'replaced/.wh.old', 'replaced/sub/'],
  ])
  const result = await runPackTool(tool, [after, before], ['--changes', '--whole-trees'])
  expect(result.output.split('\0').slice(0, -1)).toEqual([
    ...['C/etc', 'C/etc/motd', 'D/gone', 'A/new', 'C/replaced', 'D/replaced/old', 'C/replaced/sub'],
  ])
})

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('random changes come back as they were (%i)', async (seed) => {
  const { entries, script } = randomScript(seed)
  await using container = await aContainer(tool, entries, script, 'tar -C mount -cf merged.tar --format=posix .')
  const { archive } = await pack(container)
  const again = join(container.path, 'again')
  await mkdir(again)
  const unpacked = await runUnpackTool(tool, again, archive, ['--overlay'])
  expect(unpacked.message).toBe('')
  expect((await pack({ upper: again, lowers: container.lowers })).archive.equals(archive)).toBe(true)

  const merged = await extracted(join(container.path, 'merged.tar'), container.path)
  for (const upper of [container.upper, again]) {
    const exported = await runPackTool(tool, [upper, ...container.lowers], ['--export'])
    expect(exported.message).toBe('')
    const file = join(container.path, 'exported.tar')
    await writeFile(file, exported.archive)
    expect(await extracted(file, container.path)).toEqual(merged)
  }
})
