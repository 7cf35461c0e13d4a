import { mkdir, rm } from 'node:fs/promises'
import { notImplemented } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { Container, ContainerConfig, HealthAction, HostSettings, LogConfig, MountPoint } from './container.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { requestedAction, requestedHealthcheck } from './health/requested.ts'
import { checkLinks } from './links.ts'
import { mergeImage } from './merge-image.ts'
import { fillVolumes } from './mounts/fill-volumes.ts'
import { ImageMounts } from './mounts/image-mounts.ts'
import { openMountPoints } from './mounts/mount-points.ts'
import { freeName, parseContainerName } from './names.ts'
import type { ImageForContainer } from './ports.ts'
import type { CreateRequest } from './requests.ts'
import { defaultLabelOptions } from './selinux/default-options.ts'
import { sharesIpc, withIpcPeer } from './shared-ipc.ts'
import { withPeer } from './shared-network.ts'
import { withProcessPeer } from './shared-processes.ts'
import { hostnameOf } from './spec/build-spec.ts'
import { checkCgroupParent } from './spec/cgroups.ts'
import { commandOf } from './spec/command.ts'
import { idMapsOf } from './spec/id-maps.ts'
import { LayerView } from './spec/layer-view.ts'
import { storageLimit } from './storage-size.ts'
import { refuseUnsupported } from './unsupported.ts'
import { validate } from './validate.ts'
import { checkWorkingDirectory } from './working-directory.ts'

/**
 * Makes a container that does not run yet: record, directory, writable layer.
 * @returns its id and Docker's warnings
 * @throws `invalid`, `not-found` for the image, `conflict` for the name, `not-implemented`
 */
export async function create(
  context: ContainerContext,
  request: CreateRequest,
): Promise<{ id: string; warnings: string[] }> {
  const { store, images, snapshots, volumes, paths } = context
  const { config: own, host } = withPeer(
    context,
    request.config,
    completed(context, withIpcPeer(context, withProcessPeer(context, networked(request)))),
  )
  refuseUnsupported(host)
  const image = images.getForContainer(request.config.image, request.platform)
  const asked = { ...own, healthcheck: requestedHealthcheck(own) }
  const onUnhealthy = requestedAction(asked)
  const config = mergeImage(asked, image.config)
  validate(config, host)
  refuseMounts(context, host)
  const limitBytes = storageLimit(host.storageOpt ?? {}, { ...context, canLimit: snapshots.canLimit })
  checkCgroupParent(host, context.cgroupDriver)
  checkLinks(context, host)
  const attachments = context.network.planAttachments(host.networkMode, request.attachments)
  const name = request.name === undefined || request.name === '' ? undefined : parseContainerName(request.name)
  if (name !== undefined) store.checkName(name)
  store.database.checkRoom()

  const id = newId()
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(paths.directory(id), { recursive: true, force: true }))
  undo.defer(() => snapshots.remove(id))
  const imageMounts = new ImageMounts(context, id)
  undo.defer(() => imageMounts.undo())
  undo.defer(() => volumes.letGo(id))
  const [, rootfs] = await Promise.all([
    mkdir(paths.directory(id), { mode: 0o700 }),
    snapshots.prepare(id, image.chainId, { limitBytes }),
  ])
  checkWorkingDirectory(new LayerView(rootfs, context.layerMarks), config.workingDir)
  const mounts = await openMountPoints(context, { id, config, host, images: imageMounts })
  await fillVolumes(context, { id, points: mounts, rootfs, noCopy: notCopied(host), signal: context.background.signal })
  store.database.transaction(() => {
    const finalName = name ?? freeName((candidate) => store.isNameTaken(candidate))
    const container = toRecord(context, { id, name: finalName, config, host, image, onUnhealthy, mounts })
    volumes.settle(id)
    store.insert(container)
    context.network.keepAttachments(id, attachments)
    publish(context, container, 'create')
  })
  undo.move()
  return { id, warnings: warningsOf(host) }
}

function networked({ config, host }: CreateRequest): HostSettings {
  return config.networkDisabled ? { ...host, networkMode: 'none' } : host
}

function completed({ runtimes, store, defaultLog, defaults }: ContainerContext, asked: HostSettings): HostSettings {
  const host = defaults.complete(asked)
  const labels = defaultLabelOptions(host, (name) => store.get(name))
  return {
    ...host,
    runtime: runtimes.resolve(host.runtime),
    securityOpt: [...host.securityOpt, ...labels],
    // Like dockerd: a limit alone allows as much again of swap.
    memorySwapBytes: host.memoryBytes > 0 && host.memorySwapBytes === 0 ? host.memoryBytes * 2 : host.memorySwapBytes,
    logConfig: withDefaultLog(host.logConfig, defaultLog),
  }
}

/** The daemon's options count for its own driver alone. */
function withDefaultLog(asked: LogConfig, { driver, options }: LogConfig): LogConfig {
  if (asked.driver !== '' && asked.driver !== driver) return asked
  return { driver, options: { ...options, ...asked.options } }
}

/** @throws `not-implemented` for mounts that this container's users or runtime cannot have */
function refuseMounts({ idMaps, runtimes }: ContainerContext, host: HostSettings): void {
  if (idMapsOf(host, idMaps) !== undefined && host.mounts.some(({ type }) => type === 'image')) {
    throw notImplemented('mounting images into a container with users of its own (userns-remap): not implemented yet')
  }
  if (sharesIpc(host) && runtimes.find(host.runtime) !== undefined) {
    throw notImplemented(
      `joining the IPC namespace of a container with the runtime ${host.runtime}: not implemented yet`,
    )
  }
  const parts = host.mounts.some(({ type, subpath }) => type === 'volume' && subpath !== '')
  if (parts && runtimes.find(host.runtime) !== undefined) {
    throw notImplemented(`mounting a part of a volume with the runtime ${host.runtime}: not implemented yet`)
  }
}

function warningsOf({ networkMode, portBindings }: HostSettings): string[] {
  const discards = networkMode === 'host' && Object.values(portBindings).some((list) => list.length > 0)
  return discards ? ['Published ports are discarded when using host network mode'] : []
}

interface Parts {
  readonly id: string
  readonly name: string
  readonly config: ContainerConfig
  readonly host: HostSettings
  readonly image: ImageForContainer
  readonly onUnhealthy: HealthAction | undefined
  readonly mounts: readonly MountPoint[]
}

function toRecord(
  { clock, paths, selinux, store }: ContainerContext,
  { id, name, config, host, image, onUnhealthy, mounts }: Parts,
): Container {
  const { os, architecture, variant } = image.config
  return {
    id,
    name,
    createdAt: clock.nowNanos(),
    imageId: image.id,
    imageRoot: image.root,
    platform: [os, architecture, variant].filter((part) => part !== undefined).join('/'),
    config: { ...config, hostname: hostnameOf(id, config.hostname, host) },
    host,
    state: {
      status: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: undefined,
      finishedAt: undefined,
      stoppedByUser: false,
      health: undefined,
    },
    restartCount: 0,
    ...commandOf(config),
    logPath: host.logConfig.driver === 'json-file' ? paths.log(id) : '',
    mounts,
    selinux: selinux.labelsFor(host, () => store.all()),
    onUnhealthy,
  }
}

/** Targets of volumes that are to stay as they are. */
function notCopied({ mounts }: HostSettings): ReadonlySet<string> {
  return new Set(mounts.filter(({ volume }) => volume?.noCopy).map(({ target }) => target))
}
