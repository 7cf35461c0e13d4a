/** The steps that the shim's tests tell their stories with. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { ExitEvent } from '#shim/protocol.ts'
import type { Shim } from '#shim/shim.ts'
import { aContainer, aProcess, type ContainerFiles, type ContainerOptions, type TestRoot } from './container.ts'
import type { Keeper } from './keeper.ts'

/** A container that waits for its start. */
export async function create(
  keeper: Keeper,
  root: TestRoot,
  options: ContainerOptions,
): Promise<{ shim: Shim; files: ContainerFiles; pid: number }> {
  const shim = await keeper.launcher.launch()
  const files = aContainer(root, options)
  const { pid } = await keeper.create(shim, '', files.config, files.keeper)
  return { shim, files, pid }
}

/** A container that runs; `exit` is fulfilled with its end. */
export async function start(keeper: Keeper, root: TestRoot, options: ContainerOptions) {
  const created = await create(keeper, root, options)
  const exit = nextExit(created.shim)
  await created.shim.start('')
  return { ...created, exit }
}

/** For an end that the test expects here. */
export async function createAndStart(keeper: Keeper, shim: Shim, files: ContainerFiles): Promise<void> {
  await keeper.create(shim, '', files.config, files.keeper)
  await shim.start('')
}

/** An exec that waits for its start. */
export async function createExec(
  keeper: Keeper,
  shim: Shim,
  id: string,
  args: readonly string[],
  terminal = false,
): Promise<void> {
  await keeper.create(shim, id, aProcess(args, terminal), undefined)
}

const exitsOf = new WeakMap<Shim, Map<string, PromiseWithResolvers<ExitEvent>>>()

/** The exit of a task, whenever it comes; every shim has one listener that sorts them. */
export function nextExit(shim: Shim, task = ''): Promise<ExitEvent> {
  let exits = exitsOf.get(shim)
  if (!exits) {
    const sorted = new Map<string, PromiseWithResolvers<ExitEvent>>()
    exits = sorted
    exitsOf.set(shim, sorted)
    shim.onExit(async (exit) => slot(sorted, exit.task).resolve(exit))
  }
  return slot(exits, task).promise
}

function slot(exits: Map<string, PromiseWithResolvers<ExitEvent>>, task: string): PromiseWithResolvers<ExitEvent> {
  const known = exits.get(task) ?? Promise.withResolvers<ExitEvent>()
  exits.set(task, known)
  return known
}

/** Everything until the end, which is answered by ending our side. */
export async function readAll(stream: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(stream, 'end')
  stream.end()
  return Buffer.concat(chunks)
}

/** The payloads of Docker’s 8-byte frames. */
export function withoutFrames(framed: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < framed.length; ) {
    const size = framed.readUInt32BE(at + 4)
    parts.push(framed.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  return Buffer.concat(parts)
}

/** Fulfilled when the text has come. */
export async function readUntil(stream: Socket, text: string): Promise<void> {
  let received = ''
  for (;;) {
    const [chunk] = await once(stream, 'data')
    received += String(chunk)
    if (received.includes(text)) return
  }
}

/** Sends bytes to the shim on a connection of their own.   @returns its answer; empty when it closed the connection */
export async function answerTo(keeper: Keeper, files: ContainerFiles, bytes: Buffer): Promise<Buffer> {
  const stream = new Socket({
    fd: keeper.kernel.connect(join(files.directory, 'shim.sock')),
    readable: true,
    writable: true,
  })
  stream.write(bytes)
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  stream.on('data', resolve)
  stream.on('error', () => resolve(Buffer.alloc(0))) // a connection that is closed with bytes unread is reset
  stream.on('end', () => resolve(Buffer.alloc(0)))
  const answer = await promise
  stream.destroy()
  return answer
}

/** How many this process has open. */
export async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length
}

/** The last 4 KiB of a file. */
export async function tail(path: string): Promise<string> {
  return (await readFile(path)).subarray(-4096).toString()
}

/** The groups of a container in every hierarchy: one below each name (v1), or the mount itself (v2). */
export async function cgroupsOf(id: string): Promise<string[]> {
  const mounts = ['', ...(await readdir('/sys/fs/cgroup'))]
  return mounts.map((name) => join('/sys/fs/cgroup', name, 'berth', id)).filter((path) => existsSync(path))
}
