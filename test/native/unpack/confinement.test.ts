/** What berth-unpack can reach while it handles hostile bytes, read from procfs while it waits for more of them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool, runUnpackTool } from '#test/support/unpack-tool.ts'
import { waitFor } from '#test/support/wait-for.ts'

let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

interface Running extends AsyncDisposable {
  readonly child: ChildProcess
  readonly supervisor: string
  readonly writer: string
  readonly inflater: string
}

/** The three processes, in the middle of a layer that has stalled: all have taken their seats. */
async function stalled(): Promise<Running> {
  const directory = await tempDirectory('berth-unpack-')
  const target = await open(directory.path, 'r')
  const child = spawn(tool, ['--overlay'], { stdio: ['pipe', 'pipe', 'pipe', target.fd] })
  child.stdin?.on('error', () => undefined)
  child.stdin?.write(tar([{ name: 'first', content: 'x' }], { end: false }))
  const supervisor = `${child.pid}`
  await waitFor('the first file', async () => (await readdir(directory.path)).includes('first'))
  await waitFor('the filter of the supervisor', async () => (await statusOf(supervisor)).Seccomp === '2')
  const children = (await readFile(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8')).trim().split(' ')
  const [inflater = '', writer = ''] = children
  return {
    ...{ child, supervisor, writer, inflater },
    async [Symbol.asyncDispose]() {
      child.stdin?.destroy()
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      await target.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

test('who packs sees the tree read-only and nothing else, and may read only', async () => {
  await using directory = await tempDirectory('berth-unpack-')
  await using tree = await open(directory.path, 'r')
  await writeFile(join(directory.path, 'large'), Buffer.alloc(8 << 20))
  // Nobody reads the archive: the child waits with its work half done.
  const child = spawn(tool, ['--export', '--lowers', '0'], { stdio: ['ignore', 'pipe', 'pipe', tree.fd, 'pipe'] })
  const pid = `${child.pid}`
  await waitFor('the filter', async () => (await statusOf(pid)).Seccomp === '2')
  const { CapEff, CapBnd, NoNewPrivs } = await statusOf(pid)
  // DAC_READ_SEARCH and SYS_ADMIN, for trusted.overlay.opaque.
  expect({ CapEff, CapBnd, NoNewPrivs }).toEqual({
    CapEff: '0000000000200004',
    CapBnd: '0000000000200004',
    NoNewPrivs: '1',
  })
  const mounts = (await readFile(`/proc/${pid}/mountinfo`, 'utf8')).trim().split('\n')
  expect(mounts).toHaveLength(1)
  expect(mounts[0]).toMatch(/ \/ ro,nosuid,nodev,noexec/)
  child.kill('SIGKILL')
  await once(child, 'exit')
})

async function statusOf(pid: string): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  return Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.split(':\t'))
      .map(([key = '', value = '']) => [key, value.trim()]),
  )
}

async function isGone(pid: string): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return text === '' || /\) [ZX] /.test(text)
}

const bit = (capability: number): bigint => 1n << BigInt(capability)

test('each process has only the capabilities of its seat, no way to new ones, and a filter', async () => {
  await using running = await stalled()
  const [chown, dacOverride, fowner, fsetid, mknod, setfcap, sysAdmin] = [0, 1, 3, 4, 27, 31, 21].map(bit)
  if (!chown || !dacOverride || !fowner || !fsetid || !mknod || !setfcap || !sysAdmin) throw new Error('no bits')
  const seats: readonly [string, bigint][] = [
    [running.inflater, 0n],
    [running.writer, chown | dacOverride | fowner | fsetid | mknod | setfcap],
    [running.supervisor, sysAdmin],
  ]
  for (const [pid, capabilities] of seats) {
    const status = await statusOf(pid)
    for (const set of ['CapEff', 'CapPrm']) expect(BigInt(`0x${status[set]}`)).toBe(capabilities)
    for (const set of ['CapInh', 'CapAmb']) expect(BigInt(`0x${status[set]}`)).toBe(0n)
    expect(BigInt(`0x${status.CapBnd}`) & ~capabilities).toBe(0n)
    expect(status).toMatchObject({ NoNewPrivs: '1', Seccomp: '2' })
  }
})

test('the target is the only mount they see, and the network namespace is empty', async () => {
  await using running = await stalled()
  for (const pid of [running.inflater, running.writer, running.supervisor]) {
    const mounts = (await readFile(`/proc/${pid}/mountinfo`, 'utf8')).trim().split('\n')
    expect(mounts).toHaveLength(1)
    expect(mounts[0]).toMatch(/ \/ \S*nosuid,nodev,noexec/)
    expect((await readFile(`/proc/${pid}/net/dev`, 'utf8')).match(/^\s*(\w+):/gm)).toEqual(['    lo:'])
    for (const namespace of ['mnt', 'net', 'ipc', 'uts']) {
      expect(await readlink(`/proc/${pid}/ns/${namespace}`)).not.toBe(await readlink(`/proc/self/ns/${namespace}`))
    }
  }
})

test('the inflater holds nothing but its two ends, and may open nothing more', async () => {
  await using running = await stalled()
  const limits = await readFile(`/proc/${running.inflater}/limits`, 'utf8')
  expect(limits).toMatch(/Max open files +0 +0/)
  expect(limits).toMatch(/Max file size +0 +0/)
  expect(limits).toMatch(/Max address space +268435456 +268435456/)
  // The blob on 0 and the pipe to the writer.
  expect(await readdir(`/proc/${running.inflater}/fd`)).toHaveLength(2)
  // The tree, its last parent, the pipe from the inflater, the socket to the supervisor: no way to print an answer of its own.
  expect(await readdir(`/proc/${running.writer}/fd`)).toHaveLength(4)
})

test('SIGTERM takes all three down, reaped, with a sentence', async () => {
  await using running = await stalled()
  let message = ''
  running.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    message += text
  })
  running.child.kill('SIGTERM')
  await once(running.child, 'close')
  expect(message).toBe('unpacking was stopped\n')
  for (const pid of [running.writer, running.inflater]) {
    await expect(readFile(`/proc/${pid}/stat`, 'utf8')).rejects.toMatchObject({ code: 'ENOENT' })
  }
})

test('the children do not outlive a killed supervisor', async () => {
  await using running = await stalled()
  running.child.kill('SIGKILL')
  await once(running.child, 'exit')
  await waitFor('both children', async () => (await isGone(running.writer)) && (await isGone(running.inflater)))
})

test('a killed daemon takes its unpacking with it', async () => {
  await using directory = await tempDirectory('berth-unpack-')
  const script = `
    const { spawn } = require('node:child_process')
    const target = require('node:fs').openSync(${JSON.stringify(directory.path)})
    const child = spawn(${JSON.stringify(tool)}, ['--overlay'], { stdio: ['pipe', 'ignore', 'ignore', target] })
    console.log(child.pid)
    setInterval(() => undefined, 1000)`
  const daemon = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(daemon.stdout, 'data')
  const supervisor = String(line).trim()
  await waitFor('the filter of the supervisor', async () => (await statusOf(supervisor)).Seccomp === '2')
  const children = await readFile(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8')
  daemon.kill('SIGKILL')
  await once(daemon, 'close')
  for (const pid of [supervisor, ...children.trim().split(' ')]) await waitFor(`the end of ${pid}`, () => isGone(pid))
})

test('nothing of it stands in the host: mounts, files beside the target', async () => {
  await using directory = await tempDirectory('berth-unpack-')
  const target = join(directory.path, 'target')
  await mkdir(target)
  await symlink('/etc', join(directory.path, 'etc'))
  const before = await readFile('/proc/self/mountinfo', 'utf8')
  for (const archive of [tar([{ name: 'a', content: 'x' }]), Buffer.from('garbage'.repeat(200)), Buffer.alloc(0)]) {
    await runUnpackTool(tool, target, archive)
  }
  expect(await readFile('/proc/self/mountinfo', 'utf8')).toBe(before)
  expect((await readdir(directory.path)).sort()).toEqual(['etc', 'target'])
})

test('a file instead of a directory, or no directory at all, is an error of the caller', async () => {
  await using directory = await tempDirectory('berth-unpack-')
  const child = spawn(tool, ['--overlay'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [code] = await once(child, 'close')
  expect(code).toBe(2)
  expect(await runUnpackTool(tool, directory.path, tar([]), ['--nonsense'])).toMatchObject({ code: 2, output: '' })
})

test('twenty thousand files and one of 400 MB are unpacked; the speed is printed', async () => {
  await using directory = await tempDirectory('berth-unpack-')
  expect(await runUnpackTool(tool, directory.path, Buffer.alloc(0), ['--spread'])).toMatchObject({
    code: 0,
    message: '',
  })
  const many = tar(
    Array.from({ length: 20_000 }, (_, i) => ({ name: `d${i % 400}/f${i}`, content: Buffer.alloc(5000, `${i} `) })),
  )
  const one = tar([{ name: 'one', content: Buffer.alloc(400 << 20, 'some content ') }])
  for (const [name, archive] of [
    ['many', many],
    ['one', one],
  ] as const) {
    // The name chooses the place on disk, and that of the last run is still full of deleted inodes.
    const target = await mkdtemp(join(directory.path, name))
    const begin = performance.now()
    const result = await runUnpackTool(tool, target, archive)
    const ms = Math.round(performance.now() - begin)
    process.stdout.write(`unpack ${name} (${archive.length >> 20} MB): ${ms} ms\n`)
    expect(result).toMatchObject({ code: 0, message: '' })
    expect((await readdir(target, { recursive: true })).length).toBe(name === 'many' ? 20_400 : 1)
  }
})
