/** Snapshots that are held to a size, on a filesystem with project quotas; prints what came of it.   argv: a directory there, `project_limits` */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '#base/errors.ts'
import { copyFormat } from '#images/snapshots/copy.ts'
import { DirectorySnapshotter } from '#images/snapshots/directory-snapshotter.ts'
import { overlayFormat } from '#images/snapshots/overlay.ts'
import { SnapshotStore } from '#images/snapshots/snapshot-store.ts'
import type { SnapshotMounts } from '#images/snapshots/snapshotter.ts'
import type { TreeFormat } from '#images/snapshots/tree-format.ts'
import { openLibrary } from '#runtime/library.ts'
import { type DirectoryQuotas, openDirectoryQuotas } from '#runtime/quota.ts'
import { openDatabase } from '#state/database.ts'
import { tempDirectory } from '../../support/temp.ts'

const native = join(import.meta.dirname, '../../../build/native')
const [place = '', listLimits = ''] = process.argv.slice(2)
const mebibyte = 1 << 20
const quotas = openDirectoryQuotas(await openLibrary({ libraryPath: join(native, 'libberth.so') }))
const failures: string[] = []

interface Scene extends AsyncDisposable {
  readonly root: string
  /** As after kill -9: what goes on in the one that is open never gets further. */
  open(ports?: Partial<DirectoryQuotas>): Promise<DirectorySnapshotter>
}

async function openScene(name: string, format: TreeFormat): Promise<Scene> {
  const directory = await tempDirectory()
  const database = openDatabase(join(directory.path, 'state.db'))
  const root = join(place, name)
  let opened: DirectorySnapshotter | undefined
  return {
    root,
    async open(ports = {}) {
      await opened?.[Symbol.asyncDispose]()
      opened = await DirectorySnapshotter.open({
        ...{ root, format, executable: join(native, 'berth-unpack'), bootId: 'this boot' },
        store: new SnapshotStore(database),
        quotas: { ...quotas, ...ports },
        onError: (error) => failures.push(messageOf(error)),
      })
      return opened
    },
    async [Symbol.asyncDispose]() {
      await opened?.[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

const limits = () =>
  execFileSync(listLimits, [place], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').map(Number))
const bytesOfLimits = () => limits().map(([, bytes]) => bytes)

/** Who may override quotas on ext4 (CAP_SYS_RESOURCE) does not: containers have no such right.   @returns bytes that there was room for */
async function fill(file: string): Promise<number> {
  const dd = ['dd', 'if=/dev/zero', `of=${file}`, 'bs=64k', 'count=128']
  spawnSync('setpriv', ['--inh-caps=-sys_resource', '--bounding-set=-sys_resource', ...dd])
  return (await stat(file)).size
}

/** With all rights, through the overlay, which writes without them. */
async function fillOverlay({ path, lower, upper, work }: SnapshotMounts): Promise<number> {
  const mount = `mount -t overlay overlay -o lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work} ${path}`
  spawnSync('unshare', ['-m', 'sh', '-c', `${mount} && dd if=/dev/zero of=${path}/big bs=64k count=128`])
  return (await stat(`${upper}/big`)).size
}

async function limitsHold() {
  await using scene = await openScene('held', overlayFormat)
  const snapshots = await scene.open()
  await snapshots.prepare('base-1', undefined)
  await snapshots.commit('base-1', 'base', { bytes: 0, inodes: 1 })
  const [one, alone, free] = [
    await snapshots.prepare('one', 'base', { limitBytes: 4 * mebibyte }),
    await snapshots.prepare('alone', undefined, { limitBytes: 2 * mebibyte - 100 }),
    await snapshots.prepare('free', 'base'),
  ]
  const room = await snapshots.roomToMount('one')
  const widened = bytesOfLimits()
  await room[Symbol.asyncDispose]()
  const facts = {
    widened,
    canLimit: snapshots.canLimit,
    written: [await fillOverlay(one), await fill(join(alone.path, 'big')), await fillOverlay(free)],
    limits: bytesOfLimits(),
  }
  const again = await scene.open()
  const kept = bytesOfLimits()
  for (const key of ['one', 'alone', 'free']) await again.remove(key)
  return { ...facts, kept, left: bytesOfLimits(), directories: (await readdir(scene.root)).length }
}

/** A daemon that is killed at this step, and the next one. */
async function killedAt(step: 'limited' | 'row deleted' | 'lifted') {
  await using scene = await openScene(step.replace(' ', '-'), overlayFormat)
  const { promise: reached, resolve } = Promise.withResolvers<void>()
  const never = () => {
    resolve()
    return new Promise<never>(() => undefined)
  }
  const snapshots = await scene.open({
    ...(step === 'limited' && { limit: async (...args) => quotas.limit(...args).then(never) }),
    ...(step === 'row deleted' && { lift: never }),
    ...(step === 'lifted' && { lift: async (...args) => quotas.lift(...args).then(never) }),
  })
  const preparing = snapshots.prepare('half', undefined, { limitBytes: mebibyte })
  if (step !== 'limited') void preparing.then(() => snapshots.remove('half'))
  await reached
  const before = bytesOfLimits()
  const next = await scene.open()
  return { step, before, after: bytesOfLimits(), rows: next.list().length, directories: await readdir(scene.root) }
}

/** Several engines want the same number at the same moment. */
async function numbersAreUnique() {
  const directories = Array.from({ length: 12 }, (_, index) => join(place, `wanted-${index}`))
  for (const directory of directories) await mkdir(directory)
  await Promise.all(directories.map((directory) => quotas.limit(directory, { bytes: mebibyte, wanted: 5 })))
  const found = limits()
  for (const directory of directories) await quotas.lift(directory)
  return { numbers: new Set(found.map(([id]) => id)).size, inodes: found.map(([, , inodes]) => inodes) }
}

/** A data root that somebody limits as a whole keeps that limit. */
async function outerLimitStays() {
  const outer = join(place, 'outer')
  await mkdir(outer)
  await quotas.limit(outer, { bytes: 32 * mebibyte, wanted: 9 })
  await using scene = await openScene('outer/snapshots', overlayFormat)
  const snapshots = await scene.open()
  await snapshots.prepare('plain', undefined)
  await snapshots.prepare('limited', undefined, { limitBytes: mebibyte })
  const during = bytesOfLimits()
  await snapshots.remove('plain')
  await snapshots.remove('limited')
  const after = bytesOfLimits()
  await quotas.lift(outer)
  return { during: during.toSorted(), after }
}

async function copiesAreHeldToo() {
  await using scene = await openScene('copies', copyFormat)
  const snapshots = await scene.open()
  const { path } = await snapshots.prepare('base-1', undefined)
  execFileSync('dd', ['if=/dev/zero', `of=${path}/image`, 'bs=1M', 'count=1'], { stdio: 'ignore' })
  await snapshots.commit('base-1', 'base', { bytes: 0, inodes: 1 })
  const copy = await snapshots.prepare('copy', 'base', { limitBytes: 3 * mebibyte })
  const written = await fill(join(copy.path, 'big'))
  await snapshots.remove('copy')
  return { written, left: bytesOfLimits() }
}

const facts = {
  held: await limitsHold(),
  killed: [await killedAt('limited'), await killedAt('row deleted'), await killedAt('lifted')],
  unique: await numbersAreUnique(),
  outer: await outerLimitStays(),
  copies: await copiesAreHeldToo(),
  failures,
}
process.stdout.write(`facts ${JSON.stringify(facts)}\n`)
process.exit(0)
