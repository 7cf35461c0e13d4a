import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** Path of berth-unpack, built if its sources are newer. */
export async function buildUnpackTool(): Promise<string> {
  await mkdir(join(root, 'build'), { recursive: true })
  // Test files run side by side, make does not.
  await run('flock', ['build/.unpack.lock', 'make', '-s', '-C', 'images/unpack'], { cwd: root })
  return join(root, 'build/native/berth-unpack')
}

export interface ToolResult {
  readonly code: number | null
  readonly output: string
  readonly message: string
}

/** Runs berth-unpack by itself: the archive on its standard input, the directory on descriptor 3. */
export async function runUnpackTool(
  tool: string,
  directory: string,
  archive: Uint8Array,
  options: readonly string[] = ['--overlay'],
): Promise<ToolResult> {
  await using target = await open(directory, 'r')
  const child = spawn(tool, options, { stdio: ['pipe', 'pipe', 'pipe', target.fd] })
  if (!child.stdin || !child.stdout || !child.stderr) throw new Error('no pipes')
  // It stops reading where it finds the fault.
  child.stdin.on('error', () => undefined)
  child.stdin.end(archive)
  const [output, message, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, output, message }
}

/** Runs one of its packing jobs on these directories, the topmost first. */
export async function runPackTool(
  tool: string,
  directories: readonly string[],
  options: readonly string[],
): Promise<ToolResult & { readonly archive: Buffer }> {
  await using opened = new AsyncDisposableStack()
  const fds: number[] = []
  for (const path of directories) fds.push(opened.use(await open(path, 'r')).fd)
  const args = [...options, '--lowers', `${directories.length - 1}`]
  const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe', ...fds, 'pipe'] })
  const archive = child.stdio[3 + fds.length]
  if (!child.stdout || !child.stderr || !(archive instanceof Readable)) throw new Error('no pipes')
  const [output, message, bytes, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    buffer(archive),
    once(child, 'close'),
  ])
  return { code, output, message, archive: bytes }
}
