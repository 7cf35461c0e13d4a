import { mkdir, rm } from 'node:fs/promises'
import { conflict, messageOf, notModified } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import type { SandboxPlan } from '#network/sandbox.ts'
import { makeBindSource } from './bind-source.ts'
import { applyEdits } from './cdi/apply.ts'
import { editsOfRequests } from './cdi/device-requests.ts'
import type { Container, MountPoint } from './container.ts'
import { commit } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { releaseCgroup, releaseRest, watchTask } from './exit.ts'
import { healthCheckOf } from './health/check.ts'
import { startingHealth } from './health/state.ts'
import { toKeeper } from './keeper.ts'
import { isRunning, transition } from './lifecycle.ts'
import { type Links, linksOf, withLinks } from './links.ts'
import { layersOfImageMount } from './mounts/image-mounts.ts'
import { settlePropagation } from './mounts/propagation.ts'
import { mountVolumes, unmountVolumes, type VolumeSources } from './mounts/volume-mounts.ts'
import { prepareOtherRuntime } from './other-runtime.ts'
import { checkPeers, findPeers, joinedOf, namespaceOf, type Peers } from './peers.ts'
import type { ShimHandle } from './ports.ts'
import { removeLocked } from './remove.ts'
import { toSandboxRequest } from './sandbox-request.ts'
import { etcOf } from './shared-network.ts'
import { buildSpec } from './spec/build-spec.ts'
import { idMapsOf } from './spec/id-maps.ts'
import { LayerView } from './spec/layer-view.ts'
import { withProcessDefaults } from './spec/process-defaults.ts'
import { resolveUser, userFileLimit } from './spec/user.ts'
import { toStartFailure } from './start-error.ts'
import type { Task } from './task.ts'

/** @throws `not-modified` when it runs already, `conflict` when it is paused or going away; the runtime's own error in Docker's words */
export async function start(context: ContainerContext, name: string): Promise<void> {
  const { id } = context.store.get(name)
  using _held = await context.locks.acquire(id)
  const container = context.store.get(id)
  checkStartable(container)
  context.restarts.forget(id)
  await startLocked(context, { ...container, state: { ...container.state, stoppedByUser: false }, restartCount: 0 })
}

function checkStartable(container: Container): void {
  const { status } = container.state
  if (status === 'paused') throw conflict('cannot start a paused container, try unpause instead')
  // One that waits for its next attempt runs, to Docker, and gets no other.
  if (isRunning(container)) throw notModified(`container ${shortId(container.id)} is already running`)
  if (status === 'removing' || status === 'dead') {
    throw conflict('container is marked for removal and cannot be started')
  }
}

/** Starts a container whose lock the caller holds. A failure is told by the record too; a container with autoRemove is gone after it. */
export async function startLocked(context: ContainerContext, asked: Container): Promise<void> {
  const next = transition(asked, 'start')
  const container = { ...asked, state: { ...asked.state, cgroupParent: context.cgroupParent } }
  const { task, pid, startedAt } = await launch(context, container).catch((error: unknown) =>
    failed(context, container, error),
  )
  const health = healthCheckOf(container) && startingHealth(container.state.health)
  const running: Container = {
    ...container,
    state: { ...container.state, status: next, pid, startedAt, exitCode: 0, error: '', oomKilled: false, health },
  }
  try {
    commit(context, running, ['start'])
  } catch (error) {
    // What is not on record must not run: nobody could stop it.
    await task.shim.destroy()
    await releaseCgroup(context, container)
    await releaseRest(context, container)
    return failed(context, container, error)
  }
  context.tasks.add(task)
  context.health.begin(running, startedAt)
  context.forwarders.begin(container, { isOver: false })
}

interface Launched {
  readonly task: Task
  readonly pid: number
  readonly startedAt: bigint
}

/** From nothing to a running process; what was made is undone when a step fails. */
async function launch(context: ContainerContext, container: Container): Promise<Launched> {
  const { id } = container
  const { network, paths, plans, shims } = context
  context.forwarders.check(container)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(paths.shimDirectory(id), { recursive: true, force: true }))
  undo.defer(() => network.closeSandbox(id))
  let made = false
  // Once the shim has ended: what it made for a process that never ran is its to undo only where its own step fails.
  undo.defer(async () => {
    if (made) await releaseCgroup(context, container)
  })
  await context.copies.end(id)
  const links = linksOf(context, container)
  const peers = findPeers(context, container)
  undo.defer(() => unmountVolumes(context, container))
  const [shim, prepared] = await together(undo, shims.launch(), prepare(context, container, links))
  const files = { etc: etcOf(context, container), rootfs: context.snapshots.mounts(id) }
  await context.selinux.labelFiles(container, files, context.background.signal)
  const task: Task = { containerId: id, shim }
  const planFd = await compile(context, withProcessDefaults(withLinks(container, links), context.processDefaults), {
    ...prepared,
    peers,
  })
  let pid: number
  try {
    watchTask(context, task)
    await using _room = await context.snapshots.roomToMount(id)
    ;({ pid } = await onContainerSide(shim.create('', planFd)))
  } finally {
    plans.close(planFd)
  }
  made = true
  checkPeers(context, peers)
  if (!peers.network) await network.furnishSandbox(id, toSandboxRequest(context, container), shim)
  await connectWaiting(context, shim, id)
  const { startedAt } = await onContainerSide(shim.start(''))
  undo.move()
  return { task, pid, startedAt }
}

/** Both at once; a shim that was launched is ended when anything fails from here on. */
async function together(
  undo: AsyncDisposableStack,
  launching: Promise<ShimHandle>,
  preparing: Promise<Prepared>,
): Promise<[ShimHandle, Prepared]> {
  const [shim, prepared] = await Promise.allSettled([launching, preparing])
  if (shim.status === 'fulfilled') undo.defer(() => shim.value.destroy())
  if (shim.status === 'rejected') throw shim.reason
  if (prepared.status === 'rejected') throw prepared.reason
  return [shim.value, prepared.value]
}

/** What a container needs of the host before its process. */
interface Prepared {
  readonly network: SandboxPlan
  readonly volumes: VolumeSources
  readonly mounts: readonly MountPoint[]
}

async function prepare(context: ContainerContext, container: Container, links: Links): Promise<Prepared> {
  const { id } = container
  const { paths } = context
  const [network, volumes] = await allOf(
    context.network.openSandbox(id, { ...toSandboxRequest(context, container), linkedHosts: links.hosts }),
    mountVolumes(context, container),
    mkdir(paths.shimDirectory(id), { mode: 0o700 }),
    ...container.mounts
      .filter(({ type, createSource }) => type === 'bind' && createSource)
      .map(({ source }) => makeBindSource(source)),
  )
  return { network, volumes, mounts: await settlePropagation(container.mounts) }
}

/** Waits for all, so that nothing goes on behind the back of an undo; then throws what failed first. */
async function allOf<A, B>(a: Promise<A>, b: Promise<B>, ...others: readonly Promise<unknown>[]): Promise<[A, B]> {
  await Promise.allSettled([a, b, ...others])
  const [first, second] = await Promise.all([a, b, ...others])
  return [first, second]
}

async function compile(
  context: ContainerContext,
  container: Container,
  { network, volumes, mounts, peers }: Prepared & { readonly peers: Peers },
): Promise<number> {
  const { plans, paths, snapshots, seccomp } = context
  const idMaps = idMapsOf(container.host, context.idMaps)
  const { id, config, host } = container
  const rootfs = snapshots.mounts(id)
  const view = new LayerView(rootfs, context.layerMarks)
  const files = {
    passwd: view.readText('/etc/passwd', userFileLimit),
    group: view.readText('/etc/group', userFileLimit),
  }
  const user = resolveUser(config.user, host.groupAdd, files)
  const [filter, appArmorProfile] = await Promise.all([seccomp.of(host), context.appArmor.of(host)])
  const { initProgram, cgroupDriver } = context
  const input = {
    user,
    etc: etcOf(context, container),
    joined: joinedOf(peers, idMaps !== undefined),
    rootfsPath: rootfs.path,
    initProgram,
    appArmorProfile,
    cgroupDriver,
    idMaps,
    sources: {
      volume: ({ source, target }: MountPoint) => volumes.get(target) ?? source,
      image: (point: MountPoint) => layersOfImageMount(context, id, point),
      ...(peers.ipc && { ipcMounts: namespaceOf(peers.ipc, 'mnt') }),
    },
  }
  const edits = await editsOfRequests(context.cdi, host.deviceRequests ?? [])
  const spec = applyEdits(buildSpec({ ...container, mounts }, input), edits)
  const runtime = await prepareOtherRuntime(context, container, spec)
  const keeper = toKeeper(container, {
    paths,
    rootfs,
    network,
    idMapped: idMaps !== undefined,
    runtime,
    compressor: context.compressProgram,
  })
  return plans.compile(spec, keeper, filter)
}

/** Clients that attached before the start get their streams before the process runs: they miss nothing. */
async function connectWaiting({ attaches }: ContainerContext, shim: ShimHandle, id: string): Promise<void> {
  await Promise.all(
    attaches.take(id).map(async ({ stream, flags }) => {
      stream.connect(await shim.attach('', flags))
    }),
  )
}

/** Errors of making or running the container, apart from those of our own side. */
class ContainerSideError extends Error {
  readonly reason: unknown

  constructor(reason: unknown) {
    super(messageOf(reason), { cause: reason })
    this.reason = reason
  }
}

async function onContainerSide<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new ContainerSideError(error)
  }
}

async function failed(context: ContainerContext, container: Container, cause: unknown): Promise<never> {
  const { exitCode, error } =
    cause instanceof ContainerSideError ? toStartFailure(cause.reason) : { exitCode: 128, error: cause }
  context.attaches.finish(container.id)
  const status = container.state.status === 'restarting' ? 'exited' : container.state.status
  const state = { ...container.state, status, pid: 0, exitCode, error: messageOf(error) }
  commit(context, { ...container, state })
  if (container.host.autoRemove) await removeLocked(context, { ...container, state }, { volumes: true })
  else context.exits.tell(container.id, 'exit', { code: exitCode, error: undefined })
  throw error
}
