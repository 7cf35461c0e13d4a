import { mkdir, rm } from 'node:fs/promises'
import { newId } from '#base/ids.ts'
import type { Container, ContainerConfig, HealthAction, HostSettings, LogConfig } from './container.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { requestedAction, requestedHealthcheck } from './health/requested.ts'
import { mergeImage } from './merge-image.ts'
import { freeName, parseContainerName } from './names.ts'
import type { ImageForContainer } from './ports.ts'
import type { CreateRequest } from './requests.ts'
import { defaultLabelOptions } from './selinux/default-options.ts'
import { withPeer } from './shared-network.ts'
import { hostnameOf } from './spec/build-spec.ts'
import { checkCgroupParent } from './spec/cgroups.ts'
import { commandOf } from './spec/command.ts'
import { idMapsOf } from './spec/id-maps.ts'
import { refuseUnsupported } from './unsupported.ts'
import { validate } from './validate.ts'

/**
 * Makes a container that does not run yet: record, directory, writable layer.
 * @returns its id and Docker's warnings
 * @throws `invalid`, `not-found` for the image, `conflict` for the name, `not-implemented`
 */
export async function create(
  context: ContainerContext,
  request: CreateRequest,
): Promise<{ id: string; warnings: string[] }> {
  const { store, images, snapshots, paths } = context
  const { config: own, host } = withPeer(context, request.config, completed(context, request.host))
  refuseUnsupported(own, host)
  const image = images.getForContainer(request.config.image, request.platform)
  const asked = { ...own, healthcheck: requestedHealthcheck(own) }
  const onUnhealthy = requestedAction(asked)
  const config = mergeImage(asked, image.config)
  validate(config, host)
  idMapsOf(host, context.idMaps)
  checkCgroupParent(host, context.cgroupDriver)
  const attachments = context.network.planAttachments(host.networkMode, request.attachments)
  const name = request.name === undefined || request.name === '' ? undefined : parseContainerName(request.name)
  if (name !== undefined) store.checkName(name)
  store.database.checkRoom()

  const id = newId()
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(paths.directory(id), { recursive: true, force: true }))
  undo.defer(() => snapshots.remove(id))
  await Promise.all([mkdir(paths.directory(id), { mode: 0o700 }), snapshots.prepare(id, image.chainId)])
  store.database.transaction(() => {
    const finalName = name ?? freeName((candidate) => store.isNameTaken(candidate))
    const container = toRecord(context, { id, name: finalName, config, host, image, onUnhealthy })
    store.insert(container)
    context.network.keepAttachments(id, attachments)
    publish(context, container, 'create')
  })
  undo.move()
  return { id, warnings: warningsOf(image) }
}

function completed({ runtimes, store, defaultLog }: ContainerContext, host: HostSettings): HostSettings {
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

interface Parts {
  readonly id: string
  readonly name: string
  readonly config: ContainerConfig
  readonly host: HostSettings
  readonly image: ImageForContainer
  readonly onUnhealthy: HealthAction | undefined
}

function toRecord(
  { clock, paths, selinux, store }: ContainerContext,
  { id, name, config, host, image, onUnhealthy }: Parts,
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
    selinux: selinux.labelsFor(host, () => store.all()),
    onUnhealthy,
  }
}

function warningsOf({ config: { config } }: ImageForContainer): string[] {
  const volumes = Object.keys(config.Volumes ?? {})
  return [
    ...(volumes.length === 0
      ? []
      : [
          `The image's volumes (${volumes.join(', ')}) are kept in the container's own layer: volumes are not implemented yet`,
        ]),
  ]
}
