import { chmod, chown, link, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SnapshotMounts, Snapshotter } from '#images/snapshots/snapshotter.ts'

export interface OpenedSnapshotter extends AsyncDisposable {
  readonly snapshotter: Snapshotter
  /** Names of the directories below `snapshots/`. */
  directories(): Promise<readonly string[]>
  /** Ends the snapshotter as a killed daemon would and opens it again on the same data root. */
  reopen(options?: { readonly bootId?: string }): Promise<Snapshotter>
  /** Reads the files of a snapshot as a container would see them: path → content. */
  look(mounts: SnapshotMounts): Promise<Readonly<Record<string, string>>>
}

const usage = { bytes: 4096, inodes: 1 }

/** Where files of an active snapshot are written from outside of a container. */
function writableOf(mounts: SnapshotMounts): string {
  return mounts.upper ?? mounts.path
}

/** What every snapshotter promises. */
export function snapshotterContract(open: () => Promise<OpenedSnapshotter>): void {
  async function committed(
    snapshotter: Snapshotter,
    name: string,
    parent: string | undefined,
    files: readonly string[],
  ) {
    const mounts = await snapshotter.prepare(`make-${name}`, parent)
    for (const file of files) {
      await mkdir(join(writableOf(mounts), file, '..'), { recursive: true })
      await writeFile(join(writableOf(mounts), file), `${file} of ${name}`)
    }
    await snapshotter.commit(`make-${name}`, name, usage)
  }

  test('an active snapshot shows its parents, and what is written to it stays out of them', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, ['a', 'dir/b'])
    await committed(snapshotter, 'middle', 'base', ['dir/c'])
    const mounts = await snapshotter.prepare('container', 'middle')
    expect(await opened.look(mounts)).toEqual({ a: 'a of base', 'dir/b': 'dir/b of base', 'dir/c': 'dir/c of middle' })
    await writeFile(join(writableOf(mounts), 'new'), 'mine')
    expect(Object.keys(await opened.look(snapshotter.mounts('container')))).toContain('new')
    expect(Object.keys(await opened.look(await snapshotter.view('look', 'middle')))).toEqual(['a', 'dir/b', 'dir/c'])
  })

  test('a committed snapshot is compared with what was recorded of it, and can be given its files anew', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, ['a', 'dir/b'])
    const container = await snapshotter.prepare('container', 'base')
    await snapshotter.flush()
    expect(await snapshotter.verify('base')).toMatchObject({ state: 'intact' })
    const [lower] = container.lower
    const files = lower ?? (await snapshotter.view('look', 'base')).path
    await writeFile(join(files, 'a'), 'A of base')
    await rm(join(files, 'dir/b'))
    await writeFile(join(files, 'dir/c'), '')
    expect(await snapshotter.verify('base')).toEqual({
      state: 'damaged',
      count: 3,
      differences: ['content a', 'missing dir/b', 'extra dir/c'],
    })
    const fresh = await snapshotter.prepare('fresh', undefined)
    await writeFile(join(writableOf(fresh), 'a'), 'a of base')
    await snapshotter.replace('base', 'fresh')
    await snapshotter.flush()
    expect(await snapshotter.verify('base')).toMatchObject({ state: 'intact' })
    await rm(files, { recursive: true })
    expect(await snapshotter.verify('base')).toEqual({ state: 'missing' })
    expect(snapshotter.find('fresh')).toBeUndefined()
  })

  test('a view is read-only and holds its snapshot', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, ['a'])
    const view = await snapshotter.view('look', 'base')
    expect(view).toMatchObject({ readOnly: true, upper: undefined, work: undefined })
    await expect(snapshotter.remove('base')).rejects.toMatchObject({ kind: 'conflict' })
    await expect(snapshotter.commit('look', 'other', usage)).rejects.toMatchObject({ kind: 'conflict' })
    await snapshotter.remove('look')
    await snapshotter.remove('base')
    expect(await opened.directories()).toEqual([])
  })

  test('the root directory of a child has the owner and mode of its parent', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    const base = await snapshotter.prepare('k', undefined)
    await chown(writableOf(base), 12, 34)
    await chmod(writableOf(base), 0o1750)
    await snapshotter.commit('k', 'base', usage)
    const child = await snapshotter.prepare('child', 'base')
    expect(await stat(writableOf(child))).toMatchObject({ uid: 12, gid: 34, mode: 0o41750 })
  })

  test('names are unique, and only committed snapshots can be parents', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, [])
    await snapshotter.prepare('active', 'base')
    await expect(snapshotter.prepare('active', 'base')).rejects.toMatchObject({ kind: 'already-exists' })
    await expect(snapshotter.prepare('base', undefined)).rejects.toMatchObject({ kind: 'already-exists' })
    await expect(snapshotter.prepare('x', 'active')).rejects.toMatchObject({ kind: 'not-found' })
    await expect(snapshotter.prepare('x', 'nobody')).rejects.toMatchObject({ kind: 'not-found' })
    await expect(snapshotter.commit('active', 'base', usage)).rejects.toMatchObject({ kind: 'already-exists' })
    await expect(snapshotter.commit('nobody', 'y', usage)).rejects.toMatchObject({ kind: 'not-found' })
    expect(() => snapshotter.mounts('nobody')).toThrow(expect.objectContaining({ kind: 'not-found' }))
    expect(() => snapshotter.mounts('base')).toThrow(expect.objectContaining({ kind: 'conflict' }))
    expect(snapshotter.find('x')).toBeUndefined()
    expect(await opened.directories()).toHaveLength(2)
  })

  test('of many who prepare one key at once, one wins and the others leave nothing', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => snapshotter.prepare('same', undefined)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await opened.directories()).toHaveLength(1)
  })

  test('a snapshot with children cannot be removed; without it is gone with its files, and again is success', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, ['a', 'deep/er/b'])
    await snapshotter.prepare('child', 'base')
    await expect(snapshotter.remove('base')).rejects.toMatchObject({ kind: 'conflict' })
    await snapshotter.remove('child')
    await snapshotter.remove('base')
    await snapshotter.remove('base')
    expect(snapshotter.list()).toEqual([])
    expect(await opened.directories()).toEqual([])
  })

  test('list and find tell what is there, parents first', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, [])
    await committed(snapshotter, 'top', 'base', [])
    await snapshotter.prepare('active', 'top')
    expect(snapshotter.list().map(({ key, kind, parent }) => [key, kind, parent])).toEqual([
      ['base', 'committed', undefined],
      ['top', 'committed', 'base'],
      ['active', 'active', 'top'],
    ])
    expect(snapshotter.find('top')).toMatchObject({ kind: 'committed', parent: 'base', usage })
    expect(snapshotter.find('active')?.usage).toBeUndefined()
  })

  test('usage counts blocks and inodes of what was added, hard links once', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, [])
    const target = writableOf(await snapshotter.prepare('active', 'base'))
    await mkdir(join(target, 'dir'))
    await writeFile(join(target, 'dir/file'), Buffer.alloc(100_000, 1), { flush: true })
    await link(join(target, 'dir/file'), join(target, 'again'))
    const counted = await snapshotter.usage('active')
    expect(counted.inodes).toBe(2)
    expect(counted.bytes).toBeGreaterThanOrEqual(100_000)
    expect(counted.bytes).toBeLessThan(130_000)
    expect(await snapshotter.contentBytes('active')).toBe(100_000)
    expect(await snapshotter.usage('base')).toEqual(usage)
    await expect(snapshotter.usage('nobody')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('a killed daemon leaves nothing but what was finished', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, ['a'])
    await snapshotter.prepare('container', 'base')
    await snapshotter.prepare('unpack-half', 'base')
    const last = Math.max(...(await opened.directories()).map(Number))
    const again = await opened.reopen()
    expect(again.list().map(({ key }) => key)).toEqual(['base', 'container'])
    expect(await opened.directories()).toHaveLength(2)
    await again.prepare('next', undefined)
    expect(again.find('next')?.id).toBeGreaterThan(last - 1)
  })

  test('after a flush everything committed is durable and survives the crash of the machine', async () => {
    await using opened = await open()
    await committed(opened.snapshotter, 'base', undefined, ['a'])
    await opened.snapshotter.flush()
    expect(opened.snapshotter.find('base')?.durable).toBe(true)
    const again = await opened.reopen({ bootId: 'another boot' })
    expect(again.find('base')).toMatchObject({ durable: true })
    expect(Object.keys(await opened.look(await again.view('look', 'base')))).toEqual(['a'])
  })

  test('what was not written out before the machine crashed is dropped, unless a container stands on it', async () => {
    await using opened = await open()
    const { snapshotter } = opened
    await committed(snapshotter, 'base', undefined, ['a'])
    await committed(snapshotter, 'held', 'base', [])
    await committed(snapshotter, 'free', 'base', [])
    await committed(snapshotter, 'free-top', 'free', [])
    await snapshotter.prepare('container', 'held')
    const again = await opened.reopen({ bootId: 'another boot' })
    expect(again.list().map(({ key }) => key)).toEqual(['base', 'held', 'container'])
    expect(await opened.directories()).toHaveLength(3)
    expect(['base', 'held', 'container'].map((key) => again.isDoubtful(key))).toEqual([true, true, false])
    await again.prepare('anew', undefined)
    await again.replace('base', 'anew')
    expect(['base', 'held'].map((key) => again.isDoubtful(key))).toEqual([false, true])
  })

  test('directories that no row names are collected, others are left alone', async () => {
    await using opened = await open()
    const base = writableOf(await opened.snapshotter.prepare('k', undefined))
    const root = join(base, '../..')
    await mkdir(join(root, '99999/fs/some/thing'), { recursive: true })
    await mkdir(join(root, 'somebody-else'))
    await opened.reopen()
    expect((await readdir(root)).sort()).toEqual([`${opened.snapshotter.find('k')?.id}`, 'somebody-else'])
  })
}
