import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BusyboxRoot } from './container.ts'

const execute = promisify(execFile)
const repository = join(import.meta.dirname, '..', '..', '..')
export const program = join(repository, 'build/native/berth-runtime')

/** For expect.poll: of what other processes do, on a machine that may be busy. */
export const patience = { timeout: 30_000 } as const

export interface Bundle {
  readonly path: string
  readonly id: string
}

/** config.json as a test changes it. */
export interface Config {
  process: Record<string, unknown> & { args: string[]; env: string[] }
  linux: Record<string, unknown> & {
    namespaces: { type: string; path?: string }[]
  }
  mounts: object[]
  annotations?: Record<string, string>
  hooks?: object
  [key: string]: unknown
}

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** berth-runtime with a state root of its own, and bundles of busybox; what is left of its containers goes with it. */
export class Command implements AsyncDisposable {
  readonly root: BusyboxRoot
  readonly states: string
  #bundles = 0

  private constructor(root: BusyboxRoot) {
    this.root = root
    this.states = join(root.path, 'states')
  }

  static async make(): Promise<Command> {
    await execute('make', ['-s', '-C', join(repository, 'runtime'), '../build/native/berth-runtime'])
    return new Command(await BusyboxRoot.make())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = await readdir(this.states).catch(() => [])
    for (const id of left) await this.run('delete', '--force', id)
    await this.root[Symbol.asyncDispose]()
  }

  /** A bundle that `spec` began, with a script to run. */
  async bundle(script: string, change: (config: Config) => void = () => {}): Promise<Bundle> {
    const number = this.#bundles++
    const path = join(this.root.path, `bundle-${number}`)
    await mkdir(path)
    await execute(program, ['spec', '--bundle', path])
    const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
    config.root = { path: this.root.rootfs, readonly: false }
    config.process.terminal = false
    config.process.args = ['sh', '-c', script]
    change(config)
    await writeFile(join(path, 'config.json'), JSON.stringify(config))
    return { path, id: `t${this.root.id.slice(0, 12)}-${number}` }
  }

  /** A container that is started and outlives the command. */
  async started(script: string, change?: (config: Config) => void): Promise<Bundle> {
    const bundle = await this.bundle(script, change)
    const code = await this.detached('run', '--detach', '--bundle', bundle.path, bundle.id)
    if (code !== 0) throw new Error(`run --detach of '${script}' answered ${code}`)
    return bundle
  }

  run(...args: readonly string[]): Promise<Answer> {
    return this.runWith({}, ...args)
  }

  runWith(options: { env?: NodeJS.ProcessEnv; input?: string }, ...args: readonly string[]): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const child = execFile(program, ['--root', this.states, ...args], { env: options.env }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : 0,
        stdout,
        stderr,
      })
    })
    child.stdin?.on('error', () => undefined) // the command may end without reading
    child.stdin?.end(options.input ?? '')
    return promise
  }

  spawn(stdio: StdioOptions, ...args: readonly string[]): ChildProcess {
    return this.spawnWith({}, stdio, ...args)
  }

  spawnWith(env: NodeJS.ProcessEnv, stdio: StdioOptions, ...args: readonly string[]): ChildProcess {
    return spawn(program, ['--root', this.states, ...args], { stdio, env: { ...process.env, ...env } })
  }

  /** A container that outlives the command keeps its output open, so this one goes nowhere. */
  detached(...args: readonly string[]): Promise<number | null> {
    return exitOf(this.spawn('ignore', ...args))
  }

  /** A container that waits to be started. */
  async created(script: string, change?: (config: Config) => void): Promise<Bundle> {
    const bundle = await this.bundle(script, change)
    const code = await this.detached('create', '--bundle', bundle.path, bundle.id)
    if (code !== 0) throw new Error(`create of '${script}' answered ${code}`)
    return bundle
  }

  /** `run` in the foreground. */
  start({ path, id }: Bundle, ...options: readonly string[]): ChildProcess {
    return this.spawn(['ignore', 'pipe', 'inherit'], 'run', '--bundle', path, ...options, id)
  }

  async state(id: string): Promise<{ status: string; pid: number; [key: string]: unknown }> {
    return JSON.parse((await this.run('state', id)).stdout)
  }

  async status(id: string): Promise<string> {
    return (await this.state(id)).status
  }

  /** Ids of what is remembered. */
  async containers(): Promise<string[]> {
    return (await readdir(this.states)).filter((name) => /^[\w+.-]+$/.test(name))
  }
}

/** Its groups in the hierarchies of this host, one way or the other. */
export async function groupsOf(id: string): Promise<string[]> {
  const top = '/sys/fs/cgroup'
  const names = ['', ...(await readdir(top))].map((name) => join(top, name, `berth-runtime.${id}`))
  const found = await Promise.all(names.map((name) => stat(name).catch(() => undefined)))
  return names.filter((_, index) => found[index])
}

/** Until the container itself has said something, it may not exist yet. */
export function firstOutput(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()))
  child.once('exit', (code) => reject(new Error(`ended with ${code} before any output`)))
  return promise
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('exit', (code) => resolve(code))
  return promise
}
