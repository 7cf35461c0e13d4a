import { formatNanos, zeroTime } from '#base/timestamp.ts'
import type { Container, ContainerState, Health, Healthcheck } from '#containers/container.ts'
import type {
  ContainerConfig,
  ContainerInspect,
  ContainerSummary,
  Descriptor,
  HealthConfig,
  Health as WireHealth,
  ContainerState as WireState,
} from '#contract/types.gen.ts'
import { type ApiVersion, since } from '#contract/versions.ts'
import type { ContainerView } from '#engine/engine.ts'
import { presentAnnotations, presentHostConfig } from './host-config.ts'
import { presentMountPoints, presentMountSummaries } from './mounts.ts'
import { presentEndpointSummaries, presentNetworkSettings } from './network.ts'
import { presentPortList, presentPortMap } from './ports.ts'
import { presentStatus } from './status.ts'

/** What the image store adds to a container: the manifest it came from, and whether its name still means that image. */
export interface ImageFacts {
  readonly manifest: Descriptor | undefined
  readonly nameIsCurrent: boolean
}

export function presentContainer(view: ContainerView, { manifest }: ImageFacts, version: ApiVersion): ContainerInspect {
  const { container, sizes } = view
  const paths = wasStarted(container.state) ? view.paths : noPaths
  return {
    Id: container.id,
    Created: formatNanos(container.createdAt),
    Path: container.path,
    Args: container.args,
    State: presentState(container.state),
    Image: container.imageId,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: paths.log,
    Name: `/${container.name}`,
    RestartCount: container.restartCount,
    Driver: view.graph.name,
    Platform: container.platform.split('/', 1)[0] ?? '',
    MountLabel: container.selinux?.mount ?? '',
    ProcessLabel: container.selinux?.process ?? '',
    AppArmorProfile: view.appArmorProfile,
    ExecIDs: view.execIds.length === 0 ? null : view.execIds,
    HostConfig: presentHostConfig(container.host, version),
    GraphDriver: { Name: view.graph.name, Data: view.graph.data },
    ...(sizes && { SizeRw: sizes.rw, SizeRootFs: sizes.rootfs }),
    Mounts: presentMountPoints(container.mounts),
    Config: presentConfig(view),
    NetworkSettings: presentNetworkSettings(
      endpointsOf(view),
      { ports: presentPortMap(view), sandbox: view.sandbox },
      version,
    ),
    ...(manifest && version >= since.manifestDescriptor && { ImageManifestDescriptor: manifest }),
  }
}

/** Docker tells of files once a first start has tried to write them. */
const noPaths = { resolvConf: '', hostname: '', hosts: '', log: '' }

function wasStarted({ startedAt, error }: ContainerState): boolean {
  return startedAt !== undefined || error !== ''
}

/** A network is known by its name until the first start. */
function endpointsOf({ container, endpoints }: ContainerView): ContainerView['endpoints'] {
  return container.state.status === 'created' ? endpoints.map((one) => ({ ...one, networkId: '' })) : endpoints
}

/** @param now nanoseconds since 1970 */
export function presentContainerSummary(
  view: ContainerView,
  { manifest, nameIsCurrent }: ImageFacts,
  { version, now }: { version: ApiVersion; now: bigint },
): ContainerSummary {
  const { container, sizes } = view
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: nameIsCurrent ? container.config.image : container.imageId,
    ImageID: container.imageId,
    Command: presentCommand(container),
    Created: Number(container.createdAt / 1_000_000_000n),
    Ports: presentPortList(view),
    ...(sizes && { ...(sizes.rw > 0 && { SizeRw: sizes.rw }), SizeRootFs: sizes.rootfs }),
    Labels: view.effective.labels,
    State: container.state.status,
    Status: presentStatus(container.state, now),
    HostConfig: {
      NetworkMode: container.host.networkMode,
      ...(version >= since.listedAnnotations && presentAnnotations(container.host)),
    },
    NetworkSettings: { Networks: presentEndpointSummaries(endpointsOf(view), version) },
    Mounts: presentMountSummaries(container.mounts),
    ...(manifest && version >= since.manifestDescriptor && { ImageManifestDescriptor: manifest }),
  }
}

function presentState(state: ContainerState): WireState {
  const { status } = state
  const toTime = (time: bigint | undefined) => (time === undefined ? zeroTime : formatNanos(time))
  return {
    Status: status,
    // Docker counts paused and restarting containers as running ones.
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: toTime(state.startedAt),
    FinishedAt: toTime(state.finishedAt),
    ...(state.health && { Health: presentHealth(state.health) }),
  }
}

function presentHealth({ status, failingStreak, results }: Health): WireHealth {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: results.map(({ startedAt, endedAt, exitCode, output }) => ({
      Start: formatNanos(startedAt),
      End: formatNanos(endedAt),
      ExitCode: exitCode,
      Output: output,
    })),
  }
}

/** What is empty is left out, as Docker does. */
function presentHealthcheck(check: Healthcheck): HealthConfig {
  const { Test = [], ...times } = check
  return {
    ...(Test.length > 0 && { Test }),
    ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0)),
  }
}

function presentConfig({ container: { config }, effective }: ContainerView): ContainerConfig {
  return {
    Hostname: config.hostname,
    Domainname: config.domainname,
    User: effective.user,
    AttachStdin: config.attachStdin,
    AttachStdout: config.attachStdout,
    AttachStderr: config.attachStderr,
    ...(effective.exposedPorts.length > 0 && { ExposedPorts: toSet(effective.exposedPorts) }),
    Tty: config.tty,
    OpenStdin: config.openStdin,
    StdinOnce: config.stdinOnce,
    Env: effective.env.length === 0 ? null : effective.env,
    Cmd: effective.cmd,
    ...(config.healthcheck && { Healthcheck: presentHealthcheck(config.healthcheck) }),
    Image: config.image,
    Volumes: effective.volumes.length === 0 ? null : toSet(effective.volumes),
    WorkingDir: effective.workingDir,
    Entrypoint: effective.entrypoint,
    ...(config.networkDisabled && { NetworkDisabled: true }),
    OnBuild: null,
    Labels: effective.labels,
    ...(effective.stopSignal !== undefined && { StopSignal: effective.stopSignal }),
    ...(config.stopTimeoutSeconds !== undefined && { StopTimeout: config.stopTimeoutSeconds }),
    ...(config.shell && { Shell: config.shell }),
  }
}

/** Arguments with a space are shown in quotes, as Docker's list has them. */
function presentCommand({ path, args }: Container): string {
  return [path, ...args.map((one) => (one.includes(' ') ? `'${one}'` : one))].join(' ')
}

function toSet(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]))
}
