/** The TypeScript faces of libberth.so, against the real library. */
import { execFile } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { type Library, openLibrary } from '#runtime/library.ts'
import { openOverlayMarks } from '#runtime/overlay.ts'
import { openPlans } from '#runtime/plan.ts'
import { openProcesses } from '#runtime/process.ts'
import { openSeccomp } from '#runtime/seccomp.ts'
import { openSockets } from '#runtime/socket.ts'
import { tempDirectory } from '#test/support/temp.ts'

const execute = promisify(execFile)
const repository = join(import.meta.dirname, '..', '..', '..')
const libraryPath = join(repository, 'build/native/libberth.so')
/** Node does not name it. */
const O_PATH = 0o10000000
let library: Library

beforeAll(async () => {
  await execute('make', ['-s', '-C', join(repository, 'runtime'), '../build/native/libberth.so'])
  library = await openLibrary({ libraryPath })
})

test('the library needs nothing but libc, and exports nothing but its ABI', async () => {
  const { stdout: needs } = await execute('readelf', ['-d', libraryPath])
  expect(needs.match(/(?<=\[)lib[^\]]+(?=\])/g)?.filter((name) => !/^lib(c|m|berth)\.so/.test(name))).toEqual([])
  const { stdout: symbols } = await execute('nm', ['-D', '--defined-only', libraryPath])
  expect(symbols.split('\n').filter((line) => line !== '' && !/ T berth_/.test(line))).toEqual([])
})

test('an error has the kind and name of its errno and says what was tried', () => {
  const connect = (): number => openSockets(library).connect('/no/such/socket')
  expect(connect).toThrow(
    expect.objectContaining({
      kind: 'not-found',
      code: 'ENOENT',
      message: "connect to '/no/such/socket': no such file or directory",
    }),
  )
})

test('a plan that cannot be is refused with the place of the mistake', () => {
  const compile = (): number => openPlans(library).compile({ cwd: '/', args: ['a', 7] }, undefined, undefined)
  expect(compile).toThrow(expect.objectContaining({ kind: 'invalid', message: 'args[1]: expected a string' }))
})

test('a plan is a sealed file', async () => {
  const descriptor = openPlans(library).compile({ cwd: '/', args: ['a'] }, undefined, undefined)
  await expect(writeFile(`/proc/self/fd/${descriptor}`, 'x')).rejects.toThrow()
  closeSync(descriptor)
})

test('a seccomp profile is compiled to whole instructions', async () => {
  const seccomp = openSeccomp(library)
  const profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] }
  const filter = await seccomp.compile(profile)
  expect(filter.length).toBeGreaterThan(0)
  expect(filter.length % 8).toBe(0)
  expect(await seccomp.compile({ ...profile })).toEqual(filter)
})

test('a seccomp profile that says nothing sensible is refused with the place, every time', async () => {
  const seccomp = openSeccomp(library)
  for (let round = 0; round < 2; round++)
    await expect(seccomp.compile({ defaultAction: 'SCMP_ACT_SHRUG' })).rejects.toThrow(
      "seccomp.defaultAction: unknown action 'SCMP_ACT_SHRUG'",
    )
})

test('a frame travels with its descriptors', async () => {
  const sockets = openSockets(library)
  const [here, there] = sockets.socketPair()
  const [a, b] = sockets.socketPair()
  sockets.send(here, Buffer.from('frame'), [a])
  const received = Buffer.alloc(16)
  expect(received.toString('utf8', 0, readSync(there, received))).toBe('frame')
  for (const descriptor of [here, there, a, b]) sockets.close(descriptor)
})

test('a peer that does not read makes sending unavailable instead of waiting', () => {
  const sockets = openSockets(library)
  const [here, there] = sockets.socketPair()
  const fill = (): void => {
    for (;;) sockets.send(here, Buffer.alloc(4096), [])
  }
  expect(fill).toThrow(expect.objectContaining({ kind: 'unavailable' }))
  sockets.close(here)
  sockets.close(there)
})

test('sockets with long paths are reached, and their owner is known', async () => {
  await using directory = await tempDirectory(`berth-${'x'.repeat(100)}-`)
  const path = join(directory.path, 's')
  const server = createServer()
  const listening = Promise.withResolvers<void>()
  // The server's own address is short: a link's way through /proc.
  const handle = await (await import('node:fs/promises')).open(directory.path)
  server.listen(`/proc/self/fd/${handle.fd}/s`, listening.resolve)
  await listening.promise
  const sockets = openSockets(library)
  const descriptor = sockets.connect(path)
  expect(sockets.peer(descriptor)).toEqual({ pid: process.pid, uid: 0 })
  sockets.close(descriptor)
  server.close()
  await handle.close()
})

test('a child is spawned from memory with one descriptor, and reaped once', async () => {
  const processes = openProcesses(library)
  const sockets = openSockets(library)
  const executable = await processes.openExecutable('/bin/busybox')
  const [here, there] = sockets.socketPair()
  const pid = processes.spawnShim(executable, there, -1)
  sockets.close(there)
  await expect.poll(() => processes.wait(pid)).toEqual({ code: 127, signal: 0 }) // busybox knows no applet of that name
  expect(processes.reap(pid)).toBe(true)
  for (const descriptor of [executable, here]) sockets.close(descriptor)
})

test('a signal never reaches a process that merely has the number', async () => {
  const child = execFile('/bin/sleep', ['1000'])
  const pid = child.pid ?? 0
  const processes = openProcesses(library)
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const startTime = BigInt(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '')
  expect(() => processes.signal(pid, startTime + 1n, 9)).toThrow(expect.objectContaining({ kind: 'not-found' }))
  expect(child.exitCode).toBeNull()
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  processes.signal(pid, startTime, 9)
  expect(await ended).toBe('SIGKILL')
})

test('a lock is taken once, and a record lock nobody holds has no holder', async () => {
  await using directory = await tempDirectory()
  const processes = openProcesses(library)
  const path = join(directory.path, 'lock')
  const taken = processes.takeLock(path)
  expect(taken).toBeGreaterThan(2)
  expect(processes.takeLock(path)).toBeUndefined()
  expect(processes.lockHolder(path)).toBeUndefined()
  expect(processes.lockHolder(join(directory.path, 'missing'))).toBeUndefined()
  closeSync(taken ?? -1)
})

test('a directory that overlayfs made opaque is told from one that it merged', async () => {
  await using directory = await tempDirectory()
  const at = (path: string): string => join(directory.path, path)
  // A tmpfs can be the upper layer on every machine; it lives as long as the namespace, whose root the holder shows us.
  const script = `mount -t tmpfs tmpfs ${directory.path} && cd ${directory.path} && mkdir -p lower/gone lower/kept upper work merged &&
    mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged &&
    touch merged/kept/file && rm -r merged/gone && mkdir merged/gone && echo ready && exec sleep 1000`
  const holder = execFile('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script])
  try {
    await new Promise((resolve) => holder.stdout?.once('data', resolve))
    const { isOpaque } = openOverlayMarks(library)
    const isPathOpaque = (path: string): boolean => {
      const descriptor = openSync(`/proc/${holder.pid}/root${at(path)}`, O_PATH)
      try {
        return isOpaque(descriptor)
      } finally {
        closeSync(descriptor)
      }
    }
    expect(isPathOpaque('upper/gone')).toBe(true)
    expect(isPathOpaque('upper/kept')).toBe(false)
    expect(isPathOpaque('lower/gone')).toBe(false)
  } finally {
    const ended = new Promise((resolve) => holder.once('exit', resolve))
    holder.kill('SIGKILL')
    await ended
  }
  expect(() => openOverlayMarks(library).isOpaque(99_999)).toThrow('read the overlay marks of a directory')
})
