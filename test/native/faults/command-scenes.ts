/** The verbs of berth-runtime. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dockerConfig, minimalConfig } from '#test/support/docker-bundle.ts'
import { BusyboxRoot } from '../runtime/container.ts'
import { type Fault, traceCommand } from './injector.ts'
import {
  cgroupsNamed,
  type Ending,
  firstUser,
  isAlive,
  mountsBelow,
  type Scene,
  type Stage,
  withUsers,
} from './scene.ts'

const program = join(import.meta.dirname, '../../../build/native/berth-runtime')
const execute = promisify(execFile)

/** @param config which of `support/docker-bundle.ts`; `users`: docker's in user and time namespaces, created only */
export async function commandStage(config: 'docker' | 'minimal' | 'users' = 'docker'): Promise<Stage> {
  const root = await BusyboxRoot.make()
  const bundle = new Bundle(root)
  const options = { rootfs: root.rootfs, args: ['sleep', '1000'], cgroup: root.cgroup }
  if (config === 'users') await bundle.write(await remapped(root, dockerConfig(options)))
  else await bundle.write(config === 'docker' ? dockerConfig(options) : minimalConfig(options))
  const create = new CommandScene(
    bundle,
    'create',
    [],
    (id) => ['create', '--bundle', bundle.path, '--pid-file', bundle.pidFile, id],
    config === 'users' ? 'create with users' : 'create',
  )
  const dispose = () => root[Symbol.asyncDispose]()
  if (config === 'users') return { scenes: [create], [Symbol.asyncDispose]: dispose }
  return {
    scenes: [
      create,
      new CommandScene(bundle, 'start', ['create'], (id) => ['start', id]),
      new CommandScene(bundle, 'kill', ['create', 'start'], (id) => ['kill', id, 'KILL']),
      new CommandScene(bundle, 'delete', ['create', 'start', 'kill'], (id) => ['delete', id]),
      new CommandScene(bundle, 'delete --force', ['create', 'start'], (id) => ['delete', '--force', id]),
    ],
    [Symbol.asyncDispose]: dispose,
  }
}

/** With a directory whose owners are mapped besides. */
async function remapped(root: BusyboxRoot, config: ReturnType<typeof dockerConfig>): Promise<object> {
  await execute('chown', ['-R', `${firstUser}:${firstUser}`, root.rootfs])
  const volume = { destination: '/volume', type: 'bind', source: join(root.path, 'volume'), options: ['bind', 'idmap'] }
  await mkdir(volume.source)
  return withUsers({ ...config, mounts: [...config.mounts, volume] })
}

class Bundle {
  readonly root: BusyboxRoot
  readonly path: string
  readonly states: string
  readonly pidFile: string
  readonly report: string

  constructor(root: BusyboxRoot) {
    this.root = root
    this.path = join(root.path, 'bundle')
    this.states = join(root.path, 'states')
    this.pidFile = join(this.path, 'pid')
    this.report = join(root.path, 'report')
  }

  get id(): string {
    return `faults-${this.root.id.slice(0, 12)}`
  }

  async write(config: object): Promise<void> {
    await mkdir(this.path)
    await writeFile(join(this.path, 'config.json'), JSON.stringify(config))
  }

  async runtime(...args: readonly string[]): Promise<void> {
    // Not captured: a container that outlives the command would keep the pipe open.
    await execute('sh', [
      '-c',
      '"$@" >/dev/null 2>"$0" </dev/null',
      `${this.report}.err`,
      program,
      '--root',
      this.states,
      ...args,
    ]).catch(async () => {
      throw new Error(`${args[0]}: ${await readFile(`${this.report}.err`, 'utf8')}`)
    })
  }

  async pid(): Promise<number> {
    return Number(await readFile(this.pidFile, 'utf8').catch(() => '0'))
  }

  async leaks(): Promise<string[]> {
    const states = await readdir(this.states).catch(() => [])
    const files = (await readdir(this.path)).filter((name) => name !== 'config.json' && name !== 'rootfs')
    return [
      ...states.map((name) => `state ${name}`),
      ...files.map((name) => `file ${name}`),
      ...cgroupsNamed(this.root.cgroup).map((path) => `cgroup ${path}`),
      ...mountsBelow(this.root.path).map((line) => `mount ${line}`),
    ]
  }
}

class CommandScene implements Scene {
  readonly verb: string
  readonly title: string
  readonly #bundle: Bundle
  readonly #before: readonly string[]
  readonly #args: (id: string) => readonly string[]

  constructor(
    bundle: Bundle,
    verb: string,
    before: readonly string[],
    args: (id: string) => readonly string[],
    title = verb,
  ) {
    this.#bundle = bundle
    this.verb = verb
    this.title = title
    this.#before = before
    this.#args = args
  }

  async play(fault: Fault | undefined): Promise<Ending> {
    const bundle = this.#bundle
    await this.#prepare()
    const pid = await bundle.pid()
    const command = [program, '--root', bundle.states, ...this.#args(bundle.id)]
    const attached = this.verb === 'start' ? [pid] : []
    const { trace, code, stderr } = await traceCommand(command, bundle.report, { fault, attached })
    const error = code === 0 ? undefined : stderr.trim()
    const leaks = this.verb === 'create' && code !== 0 ? await this.#left(trace.left) : []

    // Whatever half of it was done: the container can be deleted, and then nothing is left of it.
    const last = await bundle.pid()
    await bundle.runtime('delete', '--force', bundle.id).catch((failure: Error) => leaks.push(failure.message))
    await rm(bundle.pidFile, { force: true })
    leaks.push(...(await this.#left([pid, last])))
    await rm(join(bundle.states, bundle.id), { recursive: true, force: true })
    return { trace, error, leaks }
  }

  async #left(processes: readonly number[]): Promise<string[]> {
    const alive = processes.filter((pid) => pid > 0 && isAlive(pid))
    return [...alive.map((pid) => `process ${pid}`), ...(await this.#bundle.leaks())]
  }

  async #prepare(): Promise<void> {
    const bundle = this.#bundle
    for (const verb of this.#before) {
      if (verb === 'create')
        await bundle.runtime('create', '--bundle', bundle.path, '--pid-file', bundle.pidFile, bundle.id)
      if (verb === 'start') await bundle.runtime('start', bundle.id)
      if (verb === 'kill') await this.#kill()
    }
  }

  async #kill(): Promise<void> {
    await this.#bundle.runtime('kill', this.#bundle.id, 'KILL')
    const pid = await this.#bundle.pid()
    while (isAlive(pid)) await new Promise(setImmediate)
  }
}
