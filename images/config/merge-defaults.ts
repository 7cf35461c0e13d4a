import type { ContainerDefaults } from '#oci/image-config.ts'

/** The config of a committed image: what was asked for, and what the container has where nothing was, as Docker merges the two. */
export function mergeDefaults(asked: ContainerDefaults, container: ContainerDefaults): ContainerDefaults {
  const merged = { ...container, ...present(asked) }
  const names = new Set(asked.Env?.map(nameOf))
  const env = [...(asked.Env ?? []), ...(container.Env ?? []).filter((line) => !names.has(nameOf(line)))]
  const labels = { ...container.Labels, ...asked.Labels }
  const { Cmd: _cmd, Entrypoint: _entrypoint, Env: _env, Labels: _labels, ...rest } = merged
  return {
    ...rest,
    ...commandOf(asked, container),
    ...(env.length > 0 && { Env: env }),
    ...((container.Labels ?? asked.Labels) && { Labels: labels }),
    ...(merged.ExposedPorts && { ExposedPorts: { ...container.ExposedPorts, ...asked.ExposedPorts } }),
    ...(merged.Volumes && { Volumes: { ...container.Volumes, ...asked.Volumes } }),
  }
}

/** An entrypoint that was asked for drops the container's command. */
function commandOf(
  asked: ContainerDefaults,
  container: ContainerDefaults,
): Pick<ContainerDefaults, 'Cmd' | 'Entrypoint'> {
  const hasEntrypoint = asked.Entrypoint !== undefined && asked.Entrypoint.length > 0
  const hasCmd = asked.Cmd !== undefined && asked.Cmd.length > 0
  const Cmd = hasEntrypoint || hasCmd ? asked.Cmd : container.Cmd
  const Entrypoint = asked.Entrypoint ?? container.Entrypoint
  return { ...(Cmd && { Cmd }), ...(Entrypoint && { Entrypoint }) }
}

/** Without what is empty: "" and {} ask for nothing. */
function present(defaults: ContainerDefaults): ContainerDefaults {
  const entries = Object.entries(defaults).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(entries) as ContainerDefaults
}

function nameOf(line: string): string {
  return line.split('=', 1)[0] ?? ''
}
