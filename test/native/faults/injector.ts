import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { waitFor } from '#test/support/wait-for.ts'

const root = join(import.meta.dirname, '../../..')
const execute = promisify(execFile)

/** One system call of a traced run: the k-th of its name in that process. */
export interface Call {
  /** 0: the command or the first one attached; children in the order of their birth. Of a program that is started below: its job, which of these
   *  it is, and the order among its own children, as `overlay.1.2`. */
  readonly process: string
  readonly k: number
  readonly name: string
  /** Its path, text or first numbers, for people. */
  readonly what: string
}

export interface Fault extends Call {
  readonly errno: number
}

export interface Trace {
  readonly calls: readonly Call[]
  /** The call that was made to fail. */
  readonly failed: Call | undefined
  readonly hung: boolean
  /** Descendants of the command that live on. */
  readonly left: readonly number[]
}

let program: Promise<string> | undefined

/** Builds inject.c.   @returns its path */
export function buildInjector(): Promise<string> {
  program ??= build()
  return program
}

async function build(): Promise<string> {
  const directory = join(root, 'build/test')
  const path = join(directory, `inject-${process.pid}`)
  await mkdir(directory, { recursive: true })
  const flags = ['-std=gnu17', '-O1', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wconversion', '-Werror']
  await execute('gcc', [...flags, '-o', path, join(import.meta.dirname, 'inject.c'), '-lseccomp'])
  await execute('mv', [path, join(directory, 'inject')])
  return join(directory, 'inject')
}

export interface Ended {
  readonly trace: Trace
  readonly code: number
  readonly stderr: string
}

/** Runs a command, and looks besides at the `attached`; standard input and output of the command lead nowhere. */
export async function traceCommand(
  command: readonly string[],
  report: string,
  { fault, attached = [] }: { fault?: Fault | undefined; attached?: readonly number[] } = {},
): Promise<Ended> {
  const args = [...options(report, fault, attached), '--', ...command]
  // A container that outlives the command keeps the command's standard error open: the end of the injector is what counts.
  const child = spawn(await buildInjector(), args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  child.stderr?.destroy()
  return { trace: parse(await readFile(report, 'utf8')), code: code ?? 255, stderr }
}

/** Looks at running processes while `act` runs. */
export async function traceAttached<T>(
  attached: readonly number[],
  report: string,
  fault: Fault | undefined,
  act: () => Promise<T>,
): Promise<{ trace: Trace; result: T }> {
  return await traceWith(options(report, fault, attached), report, act)
}

async function traceWith<T>(
  args: readonly string[],
  report: string,
  act: () => Promise<T>,
): Promise<{ trace: Trace; result: T }> {
  const child = spawn(await buildInjector(), args, { stdio: ['pipe', 'ignore', 'inherit'] })
  try {
    await waitFor('the injector is attached', async () =>
      (await readFile(report, 'utf8').catch(() => '')).includes('attached\n'),
    )
    const result = await act()
    await end(child)
    return { trace: parse(await readFile(report, 'utf8')), result }
  } finally {
    await end(child)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  await ended
}

export interface Watched {
  readonly pid: number
  readonly directory: string
  /** Name of a program whose runs are looked at too, call by call. */
  readonly program?: string
}

/** Looks at what a running program does to the files below a directory while `act` runs: at calls of its threads, in one numbering. Other
 *  children are let go of as soon as they are other programs. A fault with the number 0 kills the process that it is of. */
export async function traceBelow<T>(
  { pid, directory, program }: Watched,
  report: string,
  fault: Fault | undefined,
  act: () => Promise<T>,
): Promise<{ trace: Trace; result: T }> {
  const threads = (await readdir(`/proc/${pid}/task`)).map(Number)
  const below = ['--below', directory, ...(program === undefined ? [] : ['--program', program])]
  return await traceWith([...below, ...options(report, fault, threads)], report, act)
}

function options(report: string, fault: Fault | undefined, attached: readonly number[]): string[] {
  const fail = fault ? ['--fail', fault.process, fault.name, `${fault.k}`, `${fault.errno}`] : []
  return ['--report', report, ...fail, ...attached.flatMap((pid) => ['--attach', `${pid}`])]
}

function parse(report: string): Trace {
  const lines = report.split('\n')
  const calls = (verb: string): Call[] =>
    lines.flatMap((line) => {
      const [, process, k, name = '', what = ''] = new RegExp(`^${verb} (\\S+) (\\d+) (\\S+) (.*)$`).exec(line) ?? []
      return process === undefined ? [] : [{ process, k: Number(k), name, what }]
    })
  return {
    calls: calls('call'),
    failed: calls('failed')[0],
    hung: lines.includes('hung'),
    left: lines.flatMap((line) => /^left (\d+)$/.exec(line)?.[1] ?? []).map(Number),
  }
}
