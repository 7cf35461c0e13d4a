import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { conflict } from '#base/errors.ts'
import { makeBindSource } from '../bind-source.ts'
import type { Container, MountPoint } from '../container.ts'
import type { ContainerContext } from '../context.ts'
import { isAlive } from '../lifecycle.ts'
import { layersOfImageMount } from '../mounts/image-mounts.ts'
import { mountVolumes, unmountVolumes, type VolumeSources } from '../mounts/volume-mounts.ts'
import { settledTaskOf } from '../pause.ts'
import type { OpenRoot, RootBind, RootFds } from '../ports.ts'
import { getReadable } from '../reading.ts'
import { etcOf } from '../shared-network.ts'
import { idMapsOf } from '../spec/id-maps.ts'
import { mountsOf } from '../spec/mounts.ts'

/** A container's files, with what is mounted into it. */
export interface ContainerRoot extends AsyncDisposable {
  readonly fds: RootFds
  readonly container: Container
  /** Of the request; also tells that the files must be let go of. */
  readonly signal: AbortSignal
}

/**
 * Of a container that runs, as it sees them itself; else put together aside, and the container is locked as long.
 * @throws `not-found`, `conflict` in Docker's words
 */
export async function openContainerRoot(
  context: ContainerContext,
  name: string,
  signal: AbortSignal,
): Promise<ContainerRoot> {
  const { id } = getReadable(context, name, 'copy from or to')
  await using undo = new AsyncDisposableStack()
  const held = await context.locks.acquire(id, signal)
  undo.defer(() => held[Symbol.dispose]())
  const container = getReadable(context, id, 'copy from or to')
  if (!isAlive(container)) {
    const root = undo.use(await assemble(context, container))
    return toRoot({ root: root.fd, users: undefined }, { container, signal }, undo.move())
  }
  const copy = undo.use(context.copies.begin(id, signal))
  const root = undo.use(await openRunning(context, container))
  held[Symbol.dispose]()
  return toRoot(root, { container, signal: copy.signal }, undo.move())
}

function toRoot(
  fds: RootFds,
  rest: Pick<ContainerRoot, 'container' | 'signal'>,
  opened: AsyncDisposableStack,
): ContainerRoot {
  return { fds, ...rest, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

interface RunningRoot extends AsyncDisposable {
  readonly root: number
  readonly users: number | undefined
}

async function openRunning(context: ContainerContext, { id, host, state }: Container): Promise<RunningRoot> {
  await using undo = new AsyncDisposableStack()
  const { shim } = context.tasks.find(id) ?? (await settledTaskOf(context, id))
  const opened = async (name: string) => {
    const file = await open(`/proc/${state.pid}/${name}`, 'r').catch(() => undefined)
    return file && undo.use(file)
  }
  const root = await opened('root')
  // What its processes see has owners that only they know by these numbers.
  const isMapped = idMapsOf(host, context.idMaps) !== undefined
  const users = isMapped ? await opened('ns/user') : undefined
  // Its shim has not taken leave of the process: until then the number is nobody else's.
  const now = await shim.state()
  if (!root || (isMapped && !users) || now.pid !== state.pid || now.state !== 'running') {
    throw conflict(`container ${id} is not running`)
  }
  const files = undo.move()
  return { root: root.fd, users: users?.fd, [Symbol.asyncDispose]: () => files.disposeAsync() }
}

/** With its volumes mounted as at a start. Other file systems come with a start only. */
async function assemble(context: ContainerContext, container: Container): Promise<OpenRoot> {
  await using undo = new AsyncDisposableStack()
  for (const { type, createSource, source } of container.mounts) {
    if (type === 'bind' && createSource) await makeBindSource(source)
  }
  undo.defer(() => unmountVolumes(context, container))
  const volumes = await mountVolumes(context, container)
  const root = undo.use(await mount(context, container, volumes))
  const opened = undo.move()
  return { fd: root.fd, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

async function mount(context: ContainerContext, container: Container, volumes: VolumeSources): Promise<OpenRoot> {
  const { id, selinux } = container
  await using _room = await context.snapshots.roomToMount(id)
  return await context.files.assemble({
    mounts: context.snapshots.mounts(id),
    label: selinux?.mount ?? '',
    binds: bindsOf(context, container, volumes),
  })
}

/** Those of a start, but for the engine's own files before the first one. */
function bindsOf(context: ContainerContext, container: Container, volumes: VolumeSources): RootBind[] {
  const etc = etcOf(context, container)
  const own: readonly string[] = Object.values(etc)
  const sources = {
    idMapped: false,
    volume: ({ target }: MountPoint) => volumes.get(target) ?? '',
    image: (point: MountPoint) => layersOfImageMount(context, container.id, point),
  }
  return mountsOf(container, etc, sources)
    .filter(({ type, source, destination }) => type === 'bind' && source !== '' && !destination.startsWith('/dev/'))
    .filter(({ source = '' }) => !own.includes(source) || existsSync(source))
    .map(({ source = '', destination, options = [], berthSubpath }) => ({
      source,
      target: destination,
      readOnly: options.includes('ro') || options.includes('rro'),
      below: berthSubpath,
    }))
}
