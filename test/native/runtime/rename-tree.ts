/** Directories, files and links whose names a process exchanges without pause, and a directory of the host where none of it must lead. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { buildRuntimeProgram } from '#test/support/native-program.ts'
import type { BusyboxRoot } from './container.ts'

/** What is moved, in the root filesystem's /race and in the bind source that containers have as /shared. */
export const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const
/** What a process moves at a time: two names of each top, all names of all directories, or /proc, /sys and /dev as well. */
export const stormNames = { pair: ['a', 'c'], names, tops: names } as const
export type StormKind = keyof typeof stormNames
export const secret = 'known only to the host'
export const secretName = 'host-only'

const devices = ['null', 'console', 'pts', 'link', 'spare']
const tops = ['proc', 'sys', 'dev', 'opt', 'mnt', 'inside', 'outside']

export class RenameTree {
  readonly canary: string
  readonly shared: string
  readonly offered: string
  readonly #root: BusyboxRoot

  constructor(root: BusyboxRoot) {
    this.#root = root
    this.canary = join(root.path, 'canary')
    this.shared = join(root.path, 'shared')
    this.offered = join(root.path, 'offered')
  }

  /** What the host has beside its containers: made once. */
  async makeHost(): Promise<void> {
    for (const directory of ['a/a', 'b', 'kernel', 'self/attr', 'fs/cgroup'])
      await mkdir(join(this.canary, directory), { recursive: true, mode: 0o700 })
    for (const file of [secretName, 'a/b', 'a/a/b', 'c', 'null', 'zero', 'console', 'kernel/msgmax', 'self/attr/exec'])
      await writeFile(join(this.canary, file), `${secret}\n`, { mode: 0o600 })
    await symlink(secretName, join(this.canary, 'd'))
    await mkdir(join(this.offered, 'directory'), { recursive: true })
    await writeFile(join(this.offered, 'file'), 'offered\n')
  }

  /** Everything that moves, anew. */
  async make(): Promise<void> {
    const { rootfs } = this.#root
    for (const path of ['race', 'var', ...tops]) await rm(join(rootfs, path), { recursive: true, force: true })
    await rm(this.shared, { recursive: true, force: true })
    for (const path of ['proc', 'sys', 'dev/pts', 'opt', 'mnt']) await mkdir(join(rootfs, path), { recursive: true })
    await this.#makeNames(join(rootfs, 'race'))
    await this.#makeNames(this.shared)
    await symlink(join(this.canary, 'console'), join(rootfs, 'dev/console'))
    await symlink(this.#way(join(rootfs, 'dev'), 'null'), join(rootfs, 'dev/link'))
    await symlink('/race/a', join(rootfs, 'inside'))
    await symlink(this.#way(rootfs, ''), join(rootfs, 'outside'))
  }

  async #makeNames(top: string): Promise<void> {
    for (const directory of ['a/a', 'b/a', 'a/f', 'b/e', 'b/f']) await mkdir(join(top, directory), { recursive: true })
    for (const directory of ['a', 'b']) {
      await writeFile(join(top, directory, 'b'), 'of the image\n')
      await symlink(join(this.canary, 'c'), join(top, directory, 'c'))
      await symlink(this.#way(join(top, directory), 'a'), join(top, directory, 'd'))
    }
    await symlink(this.canary, join(top, 'c'))
    await symlink(this.#way(top, ''), join(top, 'd'))
    await symlink('/proc/self/fd/7', join(top, 'a/e'))
    await symlink('/', join(top, 'e'))
    await symlink('/proc/self/root', join(top, 'f'))
  }

  /** From a directory up and down to the canary, with enough steps up from wherever the link is moved to. */
  #way(from: string, path: string): string {
    return join('../../../..', relative(dirname(from), '/'), this.canary, path)
  }

  async storm(seed: number, kind: StormKind): Promise<Storm> {
    const program = await buildRuntimeProgram('rename_storm')
    return new Storm(program, [String(seed), ...this.#groups(kind)])
  }

  #groups(kind: StormKind): string[] {
    const { rootfs } = this.#root
    const trees = [join(rootfs, 'race'), this.shared]
    const pairs = trees.map((tree) => `a,c:${tree}`)
    if (kind === 'pair') return pairs
    // Two names are moved most, so that what was looked at is often another thing a moment later.
    return [
      ...pairs,
      ...pairs,
      ...trees.map((tree) => [names.join(','), tree, join(tree, 'a'), join(tree, 'b')].join(':')),
      `${devices.join(',')}:${join(rootfs, 'dev')}`,
      ...(kind === 'tops' ? [`${tops.join(',')}:${rootfs}`] : []),
    ]
  }

  /** Whether the root of a mount, as mountinfo tells it, is of the host and was not offered. */
  isForeign(mountRoot: string): boolean {
    const own = basename(this.#root.path)
    const [, within] = mountRoot.split(`/${own}/`)
    return within?.startsWith('canary') ?? false
  }

  /** All that a container could have changed. */
  async look(): Promise<readonly string[]> {
    const seen = [
      ...(await lookBelow(this.canary)),
      ...(await Promise.all(['/dev/null', '/dev/zero'].map(lookAtDevice))),
    ]
    seen.push(`msgmax ${await readFile('/proc/sys/kernel/msgmax', 'utf8')}`)
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
    const watched = [this.#root.path, '/proc', '/sys', '/dev', '/etc']
    return [...seen, ...mounts.filter((line) => watched.some((path) => line.split(' ')[4]?.startsWith(path)))]
  }
}

/** Runs until it is ended. */
export class Storm {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #ended: Promise<string>

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { promise, resolve } = Promise.withResolvers<string>()
    let output = ''
    this.#child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    this.#child.once('close', () => resolve(output))
    this.#child.stdin.on('error', () => undefined) // it may have ended by itself, which end() tells
    this.#ended = promise
  }

  /** @returns how many names were moved */
  async end(): Promise<number> {
    this.#child.stdin.end()
    return Number(await this.#ended)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}

async function lookBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true })
  return Promise.all(['', ...entries.sort()].map((name) => lookAt(join(directory, name))))
}

async function lookAt(path: string): Promise<string> {
  const { mode, uid, gid, ino, nlink, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true })
  const kind = Number(mode) & 0o170000
  const content = kind === 0o100000 ? await readFile(path, 'utf8') : kind === 0o120000 ? await readlink(path) : ''
  return [path, mode.toString(8), uid, gid, ino, nlink, size, mtimeNs, ctimeNs, content].join(' ')
}

async function lookAtDevice(path: string): Promise<string> {
  const { mode, uid, gid, rdev } = await lstat(path)
  return [path, mode.toString(8), uid, gid, rdev].join(' ')
}
