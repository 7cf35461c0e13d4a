import { invalid } from '#base/errors.ts'
import type { ContainerConfig, Healthcheck } from '#containers/container.ts'
import type { ContainerCreateRequest, HealthConfig } from '#contract/types.gen.ts'
import { type ApiVersion, newestVersion, since } from '#contract/versions.ts'
import { parsePort } from './ports.ts'

/** The process half of a create request.   @throws `invalid` in Docker's words */
export function parseContainerConfig(
  body: ContainerCreateRequest,
  version: ApiVersion = newestVersion,
): ContainerConfig {
  checkConfig(body)
  return {
    image: body.Image ?? '',
    hostname: body.Hostname ?? '',
    domainname: body.Domainname ?? '',
    user: body.User ?? '',
    attachStdin: body.AttachStdin ?? false,
    attachStdout: body.AttachStdout ?? false,
    attachStderr: body.AttachStderr ?? false,
    tty: body.Tty ?? false,
    openStdin: body.OpenStdin ?? false,
    stdinOnce: body.StdinOnce ?? false,
    env: body.Env ?? [],
    cmd: orNull(body.Cmd),
    // An empty list, or one empty word, takes the image's entrypoint away; only absence keeps it.
    entrypoint: body.Entrypoint ?? null,
    workingDir: body.WorkingDir ?? '',
    labels: body.Labels ?? {},
    exposedPorts: Object.keys(body.ExposedPorts ?? {}).map(parsePort),
    volumes: Object.keys(body.Volumes ?? {}),
    stopSignal: body.StopSignal || undefined,
    stopTimeoutSeconds: body.StopTimeout,
    shell: body.Shell,
    networkDisabled: body.NetworkDisabled ?? false,
    healthcheck: parseHealthcheck(body.Healthcheck, version),
  }
}

function parseHealthcheck(check: HealthConfig | undefined, version: ApiVersion): Healthcheck | undefined {
  if (!check || version >= since.healthStartInterval) return check
  const { StartInterval: _, ...known } = check
  return known
}

function checkConfig(body: ContainerCreateRequest): void {
  if (isEmptyConfig(body)) throw invalid('config cannot be empty in order to create a container')
}

/** Whether a body says nothing about the container itself: its settings on the host and on networks do not count. */
export function isEmptyConfig(body: ContainerCreateRequest): boolean {
  const { HostConfig: _, NetworkingConfig: __, ...config } = body
  return Object.keys(config).length === 0
}

function orNull(words: readonly string[] | undefined): readonly string[] | null {
  return words === undefined || words.length === 0 ? null : words
}
