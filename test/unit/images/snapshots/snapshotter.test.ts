import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { copyFormat } from '#images/snapshots/copy.ts'
import { DirectorySnapshotter } from '#images/snapshots/directory-snapshotter.ts'
import { openSnapshotter } from '#images/snapshots/open.ts'
import { overlayFormat } from '#images/snapshots/overlay.ts'
import { SnapshotStore } from '#images/snapshots/snapshot-store.ts'
import type { SnapshotMounts } from '#images/snapshots/snapshotter.ts'
import type { TreeFormat } from '#images/snapshots/tree-format.ts'
import { openDatabase } from '#state/database.ts'
import { type OpenedSnapshotter, snapshotterContract } from '#test/contracts/snapshotter.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'

const run = promisify(execFile)
let executable: string

beforeAll(async () => {
  executable = await buildUnpackTool()
})

describe('overlay2', () => snapshotterContract(() => open(overlayFormat)))
describe('vfs', () => snapshotterContract(() => open(copyFormat)))

async function open(format: TreeFormat): Promise<OpenedSnapshotter> {
  const directory = await tempDirectory('berth-snapshots-')
  const database = openDatabase(join(directory.path, 'state.db'))
  const root = join(directory.path, 'snapshots')
  const errors: unknown[] = []
  const openOnce = (bootId: string) =>
    DirectorySnapshotter.open({
      ...{ root, format, executable, bootId },
      store: new SnapshotStore(database),
      // Written out when a test says so, however long it takes until then.
      gatherMs: 2 ** 30,
      onError: (error) => errors.push(error),
    })
  let snapshotter = await openOnce('this boot')
  return {
    snapshotter,
    directories: async () => (await readdir(root)).sort(),
    async reopen({ bootId = 'this boot' } = {}) {
      await snapshotter[Symbol.asyncDispose]()
      snapshotter = await openOnce(bootId)
      return snapshotter
    },
    look,
    async [Symbol.asyncDispose]() {
      await snapshotter[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
      expect(errors).toEqual([])
    },
  }
}

/** Mounts an overlay where nobody else sees it. */
async function look({ kind, path, lower, upper, work }: SnapshotMounts): Promise<Readonly<Record<string, string>>> {
  const writable = upper === undefined ? '' : `,upperdir=${upper},workdir=${work}`
  const mount =
    kind === 'overlay' ? `mount -t overlay overlay -o lowerdir=${lower.join(':')}${writable} ${path} &&` : ''
  const script = `${mount} cd ${path} && find . -type f | sort | while read -r f; do printf '%s\\t%s\\n' "$f" "$(cat "$f")"; done`
  const { stdout } = await run('unshare', ['--mount', 'sh', '-c', script])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return Object.fromEntries(lines.map((line) => line.slice(2).split('\t')))
}

test('what the disk refused once is never called durable in this boot, and dropped by the next one', async () => {
  await using directory = await tempDirectory('berth-snapshots-')
  const [tool, fails] = [join(directory.path, 'tool'), join(directory.path, 'fails')]
  await writeFile(tool, `#!/bin/sh\n[ "$1" = --sync ] && [ -e ${fails} ] && exit 4\nexec ${executable} "$@"\n`, {
    mode: 0o755,
  })
  await using database = openDatabase(join(directory.path, 'state.db'))
  const openOnce = (bootId: string) =>
    DirectorySnapshotter.open({
      ...{ root: join(directory.path, 'snapshots'), format: overlayFormat, executable: tool, bootId },
      store: new SnapshotStore(database),
      onError: () => undefined,
    })
  {
    await using snapshotter = await openOnce('this boot')
    await snapshotter.prepare('first', undefined)
    await snapshotter.commit('first', 'refused', { bytes: 0, inodes: 1 })
    await writeFile(fails, '')
    await expect(snapshotter.flush()).rejects.toMatchObject({ kind: 'internal' })
    await rm(fails)
    await snapshotter.prepare('second', undefined)
    await snapshotter.commit('second', 'written', { bytes: 0, inodes: 1 })
    await snapshotter.flush()
    expect(snapshotter.find('written')).toMatchObject({ durable: true })
    expect(snapshotter.find('refused')).toMatchObject({ durable: false })
  }
  {
    await using again = await openOnce('this boot')
    await again.flush()
    expect(again.find('refused')).toMatchObject({ durable: false })
    expect(again.isDoubtful('refused')).toBe(false)
  }
  await using after = await openOnce('another boot')
  expect(after.list().map(({ key }) => key)).toEqual(['written'])
})

test('the driver is chosen by what the host can, and never changes under existing snapshots', async () => {
  await using directory = await tempDirectory('berth-snapshots-')
  await using database = openDatabase(join(directory.path, 'state.db'))
  const options = { root: join(directory.path, 'snapshots'), database, executable, onError: () => undefined }
  {
    await using first = await openSnapshotter(options)
    const hasOverlay = /\boverlay$/m.test(await readFile('/proc/filesystems', 'utf8'))
    expect(first.driver).toBe(hasOverlay ? 'overlay2' : 'vfs')
  }
  await using copying = await openSnapshotter({ ...options, driver: 'vfs' })
  await copying.prepare('k', undefined)
  await expect(openSnapshotter(options)).rejects.toMatchObject({ kind: 'unavailable', code: 'snapshot-driver' })
})

test('a tree nested far deeper than a path can be is removed', async () => {
  await using opened = await open(overlayFormat)
  const { upper, path } = await opened.snapshotter.prepare('k', undefined)
  const script = 'import os,sys\nos.chdir(sys.argv[1])\nfor i in range(2500):\n  os.mkdir("nested"); os.chdir("nested")'
  await run('python3', ['-c', script, upper ?? path])
  await opened.snapshotter.remove('k')
  expect(await opened.directories()).toEqual([])
})

test('without its tool, removing files is a clear error and not a silent leak', async () => {
  await using directory = await tempDirectory('berth-snapshots-')
  await using database = openDatabase(join(directory.path, 'state.db'))
  const root = join(directory.path, 'snapshots')
  await mkdir(root)
  const options = { root, database, executable: '/nonexistent/berth-unpack', onError: () => undefined }
  await using snapshotter = await openSnapshotter({ ...options, driver: 'vfs' })
  const { path } = await snapshotter.prepare('k', undefined)
  await mkdir(join(path, 'not-empty'))
  await expect(snapshotter.remove('k')).rejects.toMatchObject({ kind: 'unavailable' })
})

test('left files that cannot be removed are told of, and keep no engine from starting', async () => {
  await using directory = await tempDirectory('berth-snapshots-')
  await using database = openDatabase(join(directory.path, 'state.db'))
  const root = join(directory.path, 'snapshots')
  await mkdir(join(root, '7', 'fs', 'not-empty'), { recursive: true })
  const errors: unknown[] = []
  const options = { root, database, executable: '/nonexistent/berth-unpack', driver: 'vfs' as const }
  const onError = (error: unknown) => void errors.push(error)
  {
    await using snapshotter = await openSnapshotter({ ...options, onError })
    const { path } = await snapshotter.prepare('unpack-1', undefined)
    await mkdir(join(path, 'not-empty'))
  }
  await using again = await openSnapshotter({ ...options, onError })
  expect(again.find('unpack-1')).toBeUndefined()
  expect(errors).toMatchObject(Array.from({ length: errors.length }, () => ({ kind: 'unavailable' })))
  expect(errors.length).toBeGreaterThanOrEqual(3)
})
