import type { CreateBody, EndpointSettings } from '../client/wire.ts'
import type { ContainerFlags } from './container-flags.ts'
import { toHealthConfig } from './health.ts'
import { toHostConfig } from './host-config.ts'
import { parseEnvFile, parseLabelFile, type ReadText, readOption, resolveEnv, toMap } from './key-value.ts'
import { toNetworking } from './network.ts'
import { parsePorts } from './port.ts'
import { parseVolumes } from './volume.ts'

export interface Invocation {
  readonly flags: ContainerFlags
  readonly given: ReadonlySet<string>
  readonly image: string
  readonly command: readonly string[]
}

/** What the grammars need from outside. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly read: ReadText
}

/** Command line → the body of POST /containers/create.   @throws `invalid`, in Docker's words where it has them */
export function toCreateBody(invocation: Invocation, around: Surroundings): CreateBody {
  const { flags, given, image, command } = invocation
  const volumes = parseVolumes(flags.volume, around.directory)
  const ports = parsePorts(flags.publish, flags.expose)
  const { mode, endpoints } = networkingOf(flags)
  const health = toHealthConfig({
    command: flags.healthCmd,
    interval: flags.healthInterval,
    timeout: flags.healthTimeout,
    startPeriod: flags.healthStartPeriod,
    startInterval: flags.healthStartInterval,
    retries: flags.healthRetries,
    none: flags.noHealthcheck,
  })
  const host = toHostConfig(invocation, around, { binds: volumes.binds, bindings: ports.bindings, networkMode: mode })
  return {
    Image: image,
    ...toStreams(flags),
    ...(command.length > 0 && { Cmd: command }),
    // An empty --entrypoint is one empty string: the engine then drops the image's.
    ...(given.has('entrypoint') && { Entrypoint: [flags.entrypoint] }),
    Env: toEnv(flags, around),
    Labels: toLabels(flags, around),
    ...(flags.hostname !== '' && { Hostname: flags.hostname }),
    ...(flags.domainName !== '' && { Domainname: flags.domainName }),
    ...(flags.user !== '' && { User: flags.user }),
    ...(flags.workdir !== '' && { WorkingDir: flags.workdir }),
    ...(flags.stopSignal !== '' && { StopSignal: flags.stopSignal }),
    ...(flags.stopTimeout !== undefined && { StopTimeout: flags.stopTimeout }),
    ...(Object.keys(volumes.anonymous).length > 0 && { Volumes: volumes.anonymous }),
    ...(Object.keys(ports.exposed).length > 0 && { ExposedPorts: ports.exposed }),
    ...(health && { Healthcheck: health }),
    HostConfig: host,
    NetworkingConfig: { EndpointsConfig: endpoints },
  }
}

type Streams = Pick<CreateBody, 'AttachStdin' | 'AttachStdout' | 'AttachStderr' | 'OpenStdin' | 'StdinOnce' | 'Tty'>

function toStreams({ attach: named, interactive, tty }: ContainerFlags): Streams {
  const stdin = named.includes('stdin') || (named.length === 0 && interactive)
  return {
    AttachStdin: stdin,
    AttachStdout: named.length === 0 || named.includes('stdout'),
    AttachStderr: named.length === 0 || named.includes('stderr'),
    OpenStdin: interactive,
    StdinOnce: interactive && stdin,
    Tty: tty,
  }
}

function toEnv(flags: ContainerFlags, { environment, read }: Surroundings): string[] {
  const fromFiles = flags.envFile.flatMap((path) => parseEnvFile(readOption(path, read), path, environment))
  return [...fromFiles, ...resolveEnv(flags.env, environment)]
}

function toLabels(flags: ContainerFlags, { read }: Surroundings): Record<string, string> {
  const fromFiles = flags.labelFile.flatMap((path) => parseLabelFile(readOption(path, read), path))
  return toMap([...fromFiles, ...flags.label])
}

function networkingOf(flags: ContainerFlags): { mode: string; endpoints: Record<string, EndpointSettings> } {
  return toNetworking({
    networks: [...(flags.network ?? []), ...(flags.net ?? [])],
    aliases: flags.networkAlias,
    links: flags.link,
    ip: flags.ip,
    ip6: flags.ip6,
    linkLocal: flags.linkLocalIp,
    macAddress: flags.macAddress,
  })
}
