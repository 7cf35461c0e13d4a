/** The compiled system call filters that berth-runtime keeps below its root. */
import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { BusyboxRoot } from './container.ts'

const program = join(import.meta.dirname, '../../../build/native/berth-runtime')
const execute = promisify(execFile)

/** One that makes `call` fail with this errno, as the container sees it. */
const profileAgainst = (call: string, errno: number): object => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [{ names: [call, `${call}at`], action: 'SCMP_ACT_ERRNO', errnoRet: errno }],
})
const noMkdir = profileAgainst('mkdir', 16)

class Runs implements AsyncDisposable {
  readonly #root: BusyboxRoot
  readonly states: string
  readonly filters: string
  #next = 0

  private constructor(root: BusyboxRoot) {
    this.#root = root
    this.states = join(root.path, 'states')
    this.filters = join(this.states, 'seccomp:filters')
  }

  static async open(): Promise<Runs> {
    return new Runs(await BusyboxRoot.make())
  }

  /** What the container with this profile sees: is there a filter, and what does mkdir say? */
  async see(profile: object): Promise<string> {
    const bundle = join(this.#root.path, `bundle-${this.#next++}`)
    await mkdir(bundle)
    const run = 'grep ^Seccomp: /proc/self/status; mkdir /tmp/new 2>&1; rmdir /tmp/none 2>&1'
    const config = this.#root.config({
      run,
      linux: { seccomp: profile } as object,
      spec: { root: { path: this.#root.rootfs } },
    })
    await writeFile(join(bundle, 'config.json'), JSON.stringify(config))
    const { stdout } = await execute(program, [
      '--root',
      this.states,
      'run',
      '--bundle',
      bundle,
      `filter-${process.pid}-${this.#next}`,
    ]).catch((error: { stdout: string; stderr: string; code: number }) => {
      if (error.stderr !== '') throw new Error(error.stderr)
      return error
    })
    return stdout
  }

  /** The kept files; a new inode is a new file. */
  async kept(): Promise<{ name: string; inode: number }[]> {
    const names = (await readdir(this.filters)).sort()
    return Promise.all(names.map(async (name) => ({ name, inode: (await stat(join(this.filters, name))).ino })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root[Symbol.asyncDispose]()
  }
}

const refusal = /^Seccomp:\t2\nmkdir: .*: (Device or )?[Rr]esource busy\n/
const otherRefusal = /^Seccomp:\t2\nrmdir: .*none.*: (Device or )?[Rr]esource busy\n/

test('a filter is compiled once, and used as it was made', async () => {
  await using runs = await Runs.open()
  expect(await runs.see(noMkdir)).toMatch(refusal)
  const first = await runs.kept()
  expect(first).toHaveLength(1)
  expect(await runs.see(noMkdir)).toMatch(refusal)
  expect(await runs.kept()).toEqual(first)
  expect(await readdir(runs.states)).toEqual(['seccomp:filters'])
})

test('a damaged, shortened or exchanged file is not used, but made again', async () => {
  await using runs = await Runs.open()
  await runs.see(noMkdir)
  const [file] = await runs.kept()
  const path = join(runs.filters, file?.name ?? '')
  const good = await readFile(path)

  const damaged = Buffer.from(good)
  damaged[good.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  const foreign = Buffer.from(good)
  foreign[40] = (foreign[40] ?? 0) ^ 1
  for (const bad of [
    damaged,
    foreign,
    good.subarray(0, good.length - 8),
    Buffer.concat([good, Buffer.alloc(8)]),
    Buffer.alloc(0),
  ]) {
    await writeFile(path, bad)
    expect(await runs.see(noMkdir)).toMatch(refusal)
    expect((await readFile(path)).equals(good)).toBe(true)
  }
})

test('the filter of one profile is never another’s, whatever file it stands in', async () => {
  await using runs = await Runs.open()
  await runs.see(noMkdir)
  const [file] = await runs.kept()
  for (let slot = 0; slot < 16; slot += 1)
    if (`${slot}` !== file?.name) await copyFile(join(runs.filters, file?.name ?? ''), join(runs.filters, `${slot}`))
  expect(await runs.see(profileAgainst('rmdir', 16))).toMatch(otherRefusal)
})

test('a directory that others can write is left alone', async () => {
  await using runs = await Runs.open()
  await mkdir(runs.filters, { recursive: true })
  await chmod(runs.filters, 0o770)
  expect(await runs.see(noMkdir)).toMatch(refusal)
  expect(await readdir(runs.filters)).toEqual([])
})
