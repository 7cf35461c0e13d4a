import type { ContainerDefaults, ContainerIdentity } from '#oci/image-config.ts'

/** The `config` of an image as Docker writes it: every field that is never left out, in Docker's order. */
export function toDockerConfig(defaults: ContainerDefaults & Partial<ContainerIdentity>): object {
  const { ExposedPorts, Healthcheck, ArgsEscaped, StopSignal, Shell } = defaults
  return {
    Hostname: defaults.Hostname ?? '',
    Domainname: defaults.Domainname ?? '',
    User: defaults.User ?? '',
    AttachStdin: defaults.AttachStdin ?? false,
    AttachStdout: defaults.AttachStdout ?? false,
    AttachStderr: defaults.AttachStderr ?? false,
    ...(ExposedPorts && Object.keys(ExposedPorts).length > 0 && { ExposedPorts: sorted(ExposedPorts) }),
    Tty: defaults.Tty ?? false,
    OpenStdin: defaults.OpenStdin ?? false,
    StdinOnce: defaults.StdinOnce ?? false,
    Env: defaults.Env ?? null,
    Cmd: defaults.Cmd ?? null,
    ...(Healthcheck && { Healthcheck }),
    ...(ArgsEscaped && { ArgsEscaped }),
    Image: defaults.Image ?? '',
    Volumes: defaults.Volumes ? sorted(defaults.Volumes) : null,
    WorkingDir: defaults.WorkingDir ?? '',
    Entrypoint: defaults.Entrypoint ?? null,
    OnBuild: defaults.OnBuild ?? null,
    Labels: defaults.Labels ? sorted(defaults.Labels) : null,
    ...(StopSignal !== undefined && StopSignal !== '' && { StopSignal }),
    ...(Shell && Shell.length > 0 && { Shell }),
  }
}

/** Go writes maps by their keys. */
function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
