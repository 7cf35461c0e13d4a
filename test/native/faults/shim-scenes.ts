/** The requests of a shim: it and its children are looked at, not who asks. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Shim } from '#shim/shim.ts'
import { waitFor } from '#test/support/wait-for.ts'
import { aContainer, type ContainerFiles, makeRoot, type TestRoot } from '../shim/container.ts'
import { type Keeper, openKeeper } from '../shim/keeper.ts'
import { createExec, nextExit } from '../shim/story.ts'
import { type Fault, type Trace, traceAttached } from './injector.ts'
import { type NetworkSteps, networkSteps } from './network-steps.ts'
import { cgroupsNamed, type Ending, isAlive, mountsBelow, type Scene, type Stage, withUsers } from './scene.ts'

/** An answer that takes longer never comes. */
const answerMs = 4_000

/**
 * @param bridge a link of this network namespace, for the containers' links
 * @param users containers in user and time namespaces, and only the verbs to which that matters
 */
export async function shimStage(bridge: string, users = false): Promise<Stage> {
  await using undo = new AsyncDisposableStack()
  const root = undo.use(await makeRoot())
  const keeper = undo.use(await openKeeper({ timeoutMs: answerMs }))
  const open = (verb: ShimScene['verb']): Scene => new ShimScene(verb, root, keeper, bridge, users)
  const scenes = users
    ? [open('shim create'), open('shim exec')]
    : [
        open('shim create'),
        open('shim start'),
        open('shim exec'),
        open('shim network'),
        open('shim unlink'),
        open('shim end'),
      ]
  const owned = undo.move()
  return { scenes, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() }
}

interface Cast {
  readonly shim: Shim
  readonly files: ContainerFiles
  readonly hostLink: string
  pid: number
  steps?: NetworkSteps
}

class ShimScene implements Scene {
  readonly verb: 'shim create' | 'shim start' | 'shim exec' | 'shim network' | 'shim unlink' | 'shim end'
  readonly #root: TestRoot
  readonly #keeper: Keeper
  readonly #bridge: string
  readonly #users: boolean

  constructor(verb: ShimScene['verb'], root: TestRoot, keeper: Keeper, bridge: string, users: boolean) {
    this.verb = verb
    this.#users = users
    this.#root = root
    this.#keeper = keeper
    this.#bridge = bridge
  }

  get title(): string {
    return this.#users ? `${this.verb} with users` : this.verb
  }

  async play(fault: Fault | undefined): Promise<Ending> {
    const cast = await this.#open()
    const { trace, error } = await this.#act(cast, fault)
    // Of a shim that ended too early, or said that it could not remove them, group and directory are the daemon's to remove.
    const answers =
      cast.shim.alive &&
      (await cast.shim.state().then(
        () => true,
        () => false,
      ))
    const orphaned = error === undefined ? !answers && this.verb !== 'shim end' : !answers || this.verb === 'shim end'
    const problems = [...((await cast.steps?.undo()) ?? []), ...(await this.#close(cast, error))]
    if (orphaned) await this.#clear(cast)
    return { trace, error, leaks: [...problems, ...(await this.#leaks(cast))] }
  }

  async #open(): Promise<Cast> {
    const shim = await this.#keeper.launcher.launch()
    const files = aContainer(this.#root, { args: ['sleep', '1000'], log: { maxBytes: 1 << 20, maxFiles: 2 } })
    const source = join(this.#root.directory, 'volume')
    await mkdir(join(source, 'inner'), { recursive: true })
    const part = { destination: '/part', type: 'bind', source, options: ['bind'], berthSubpath: 'inner' }
    if (!this.#users) (files.config as { mounts: object[] }).mounts.push(part)
    const hostLink = `f${files.id.slice(0, 11)}`
    const network = { kind: 'veth', hostLink, bridge: this.#bridge, link: 'eth0', mac: '02:42:0a:09:00:02', mtu: 1500 }
    const addresses = { addresses: ['10.9.0.2/24'], routes: [{ to: '0.0.0.0/0', via: '10.9.0.1' }] }
    Object.assign(files.keeper, { network: { ...network, ...addresses } })
    await shim.hello()
    const cast = { shim, files, hostLink, pid: 0 }
    if (this.verb !== 'shim create') await this.#create(cast)
    if (this.verb === 'shim create' || this.verb === 'shim start') return cast
    await shim.start('')
    const isUnlink = this.verb === 'shim unlink'
    if (this.verb !== 'shim network' && !isUnlink) return cast
    const steps = networkSteps(shim, { bridge: this.#bridge, hostLink: `${hostLink}b`, isUnlink })
    await steps.prepare()
    return { ...cast, steps }
  }

  async #create(cast: Cast): Promise<void> {
    const config = this.#users ? withUsers(cast.files.config) : cast.files.config
    const { pid } = await this.#keeper.create(cast.shim, '', config, cast.files.keeper)
    cast.pid = pid
  }

  async #act(cast: Cast, fault: Fault | undefined): Promise<{ trace: Trace; error: string | undefined }> {
    const attached = this.verb === 'shim start' ? [cast.shim.pid, cast.pid] : [cast.shim.pid]
    const report = join(this.#root.directory, 'report')
    await rm(report, { force: true })
    const { trace, result } = await traceAttached(attached, report, fault, () =>
      this.#verb(cast).then(
        () => undefined,
        (error: Error) => error.message,
      ),
    )
    return { trace, error: result }
  }

  async #verb(cast: Cast): Promise<void> {
    const { shim } = cast
    if (this.verb === 'shim create') return this.#create(cast)
    if (this.verb === 'shim start') return void (await shim.start(''))
    if (this.verb === 'shim end') return this.#end(cast)
    if (cast.steps) return cast.steps.run()
    const exit = nextExit(shim, 'inside')
    await createExec(this.#keeper, shim, 'inside', ['true'])
    await shim.start('inside')
    await this.#inTime(shim, exit)
    await shim.state() // what the acknowledged exit frees is of the exec too
  }

  async #end({ shim }: Cast): Promise<void> {
    const exit = nextExit(shim)
    await shim.kill('', 9)
    await this.#inTime(shim, exit)
    await shim.shutdown()
  }

  async #inTime(shim: Shim, exit: Promise<unknown>): Promise<void> {
    using timer = new AbortTimer(answerMs)
    const late = timer.expired.then(() => Promise.reject(new Error('the exit is not told')))
    await Promise.race([exit, late, shim.closed.then(() => Promise.reject(new Error('the shim has ended')))])
  }

  /** Ends what there is, as the daemon does.   @returns what did not go as it should */
  async #close(cast: Cast, error: string | undefined): Promise<string[]> {
    const { shim, files } = cast
    const problems: string[] = []
    const failed = (failure: Error): void => void problems.push(failure.message)
    if (shim.alive) {
      const { state } = await shim.state().catch((failure: Error) => ({ state: failure.message }))
      const undone = state === 'empty' || (this.verb === 'shim start' && state === 'stopped')
      if (error !== undefined && (this.verb === 'shim create' || this.verb === 'shim start') && !undone)
        problems.push(`the shim is ${state}`)
      if (state === 'created' || state === 'running') await this.#end(cast).catch(failed)
      else await shim.shutdown().catch(failed)
    }
    if (isAlive(shim.pid)) await shim.destroy()
    await rm(join(files.directory, 'exit.json'), { force: true })
    return problems
  }

  async #clear({ files }: Cast): Promise<void> {
    await this.#keeper.removeCgroup(`/berth/${files.id}`)
    await rm(files.directory, { recursive: true, force: true })
    await mkdir(files.directory)
  }

  async #leaks({ files, hostLink, pid, shim }: Cast): Promise<string[]> {
    const gone = (): boolean => !existsSync(`/sys/class/net/${hostLink}`) && !(pid > 0 && isAlive(pid))
    // The kernel takes a link away with its namespace, some time after the last process.
    await waitFor('link and process are gone', gone, { timeoutMs: 3_000 }).catch(() => undefined)
    // The lock stays where it was; the directory is the daemon's to remove once the container has ended.
    const undone = this.verb === 'shim create' || this.verb === 'shim start'
    const directory = undone ? (await readdir(files.directory)).filter((name) => name !== 'lock') : []
    await rm(files.directory, { recursive: true, force: true })
    await rm(files.logPath, { force: true })
    return [
      ...(gone() ? [] : [`link ${hostLink} or process ${pid}`]),
      ...(isAlive(shim.pid) ? [`shim ${shim.pid}`] : []),
      ...directory.map((name) => `file ${name}`),
      ...cgroupsNamed(`berth/${files.id}`).map((path) => `cgroup ${path}`),
      ...mountsBelow(this.#root.directory).map((line) => `mount ${line}`),
    ]
  }
}

class AbortTimer implements Disposable {
  readonly #abort = new AbortController()
  readonly expired: Promise<void>

  constructor(ms: number) {
    this.expired = delay(ms, undefined, { signal: this.#abort.signal }).catch(() => new Promise<never>(() => undefined))
  }

  [Symbol.dispose](): void {
    this.#abort.abort()
  }
}
