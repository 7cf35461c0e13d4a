import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { conflict, internal, invalid, messageOf, systemCode, unavailable } from '#base/errors.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { isAlive } from './lifecycle.ts'
import type { ShimStatus } from './ports.ts'
import { cgroupPathOf } from './spec/cgroups.ts'

const run = promisify(execFile)
const outputLimit = 16 << 20

/** The container's processes as the host's `ps` shows them.   @throws `conflict` when it does not run, `unavailable` without ps */
export async function top(
  context: ContainerContext,
  name: string,
  psArguments: string,
): Promise<{ titles: string[]; processes: string[][] }> {
  const container = context.store.get(name)
  if (container.state.status === 'restarting') {
    throw conflict(`Container ${container.id} is restarting, wait until the container is running`)
  }
  const task = context.tasks.find(container.id)
  if (!task || !isAlive(container)) throw conflict(`container ${container.id} is not running`)
  const pids = await pidsOf(await task.shim.state(), cgroupPathOf(container, context.cgroupDriver))
  // It has ended between two looks.
  if (pids.size === 0) throw conflict(`container ${container.id} is not running`)
  const output = await runPs(parseArguments(psArguments), pids)
  const result = parsePs(output, pids)
  publish(context, container, 'top')
  return result
}

/** An argument that names other processes would show the host's. */
function parseArguments(text: string): string[] {
  const words = (text === '' ? '-ef' : text).split(/\s+/).filter((word) => word !== '')
  if (words.some((word) => !/^[\w.,=:+%-]+$/.test(word))) throw invalid(`invalid ps arguments: ${text}`)
  return words
}

async function runPs(words: readonly string[], pids: ReadonlySet<number>): Promise<string> {
  const environment = { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin' }
  try {
    // With -q only the asked ones are read; a ps that does not know it, or that gets other selections too, shows all.
    const { stdout } = await run('ps', [...words, '-q', [...pids].join(',')], {
      maxBuffer: outputLimit,
      env: environment,
    })
    return stdout
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw unavailable('ps is not installed on this host: install procps')
  }
  try {
    const { stdout } = await run('ps', words, { maxBuffer: outputLimit, env: environment })
    return stdout
  } catch (cause) {
    throw internal(`ps: ${firstLine(stderrOf(cause))}`, { cause })
  }
}

/** What the program itself said; the first line tells why, the others how to use it. */
function stderrOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return said === '' ? messageOf(error) : said
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

/** Reads the table of ps, keeping the rows of these processes. The last column takes the rest of its line. */
export function parsePs(output: string, pids: ReadonlySet<number>): { titles: string[]; processes: string[][] } {
  const [head = '', ...lines] = output.split('\n')
  const titles = head.trim().split(/\s+/)
  const pidColumn = titles.indexOf('PID')
  if (pidColumn < 0) throw internal("Couldn't find PID field in ps output")
  const processes = lines
    .map((line) => splitRow(line, titles.length))
    .filter((fields) => pids.has(Number(fields[pidColumn])))
  return { titles, processes }
}

function splitRow(line: string, columns: number): string[] {
  const fields = line.trim().split(/\s+/)
  if (fields.length <= columns) return fields
  return [...fields.slice(0, columns - 1), fields.slice(columns - 1).join(' ')]
}

/** Every process of the container's cgroup, or what the shim knows of when that cannot be read. */
async function pidsOf(status: ShimStatus, cgroupPath: string): Promise<Set<number>> {
  const known = [status.pid, ...status.execs.map(({ pid }) => pid)].filter((pid) => pid > 0)
  const directory = await cgroupDirectory(status.pid, cgroupPath)
  return new Set(directory === undefined ? known : await pidsBelow(directory))
}

/** A hierarchy in which init is where we have put it. @see cgroups(7), /proc/pid/cgroup */
async function cgroupDirectory(pid: number, path: string): Promise<string | undefined> {
  const groups = await unlessGone(readFile(`/proc/${pid}/cgroup`, 'utf8'))
  if (groups === undefined) return undefined
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  for (const line of groups.trim().split('\n')) {
    const [, controllers = '', group = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (!group.endsWith(path)) continue
    const mount = findHierarchy(mounts, controllers)
    if (mount !== undefined) return join(mount, group)
  }
  return undefined
}

function findHierarchy(mounts: string, controllers: string): string | undefined {
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [type = '', , options = ''] = after.split(' ')
    const isWanted =
      controllers === ''
        ? type === 'cgroup2'
        : type === 'cgroup' && controllers.split(',').every((name) => options.split(',').includes(name))
    if (isWanted) return before.split(' ')[4]
  }
  return undefined
}

/** A group that goes meanwhile has none. */
export async function pidsBelow(directory: string): Promise<number[]> {
  const own = (await unlessGone(readFile(join(directory, 'cgroup.procs'), 'utf8'))) ?? ''
  const children = (await unlessGone(readdir(directory, { withFileTypes: true }))) ?? []
  const groups = children.filter((entry) => entry.isDirectory())
  const nested = await Promise.all(groups.map((child) => pidsBelow(join(directory, child.name))))
  const numbers = own.split('\n').filter((line) => line !== '')
  return [...numbers.map(Number), ...nested.flat()]
}

/** A process may end and its group be removed (ENODEV: while it is read) between two looks. */
async function unlessGone<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ESRCH'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
