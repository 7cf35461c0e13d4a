import { posix } from 'node:path'
import type { ImageConfig } from '#oci/image-config.ts'
import type { ContainerConfig } from './container.ts'
import { mergeHealthcheck } from './health/check.ts'

/** The config of a container after its image's defaults, as Docker merges them: the user's word wins, lists of names add up. */
export function mergeImage(config: ContainerConfig, { config: image }: Pick<ImageConfig, 'config'>): ContainerConfig {
  const merged = {
    ...config,
    ...mergeCommand(config, image),
    user: config.user === '' ? (image.User ?? '') : config.user,
    workingDir: cleaned(config.workingDir === '' ? (image.WorkingDir ?? '') : config.workingDir),
    env: [...config.env, ...missingFrom(config.env, image.Env ?? [])],
    labels: { ...image.Labels, ...config.labels },
    exposedPorts: union(config.exposedPorts, Object.keys(image.ExposedPorts ?? {})),
    volumes: union(config.volumes, Object.keys(image.Volumes ?? {})),
    stopSignal: config.stopSignal === undefined || config.stopSignal === '' ? image.StopSignal : config.stopSignal,
    shell: config.shell ?? image.Shell,
    healthcheck: mergeHealthcheck(config.healthcheck, image.Healthcheck),
  }
  // `--entrypoint ""` takes the image's entrypoint away.
  return merged.entrypoint?.length === 1 && merged.entrypoint[0] === '' ? { ...merged, entrypoint: null } : merged
}

/** Without `..` and doubled slashes; one that is not absolute is refused elsewhere. */
function cleaned(workingDir: string): string {
  return workingDir.startsWith('/') ? posix.resolve(workingDir) : workingDir
}

function mergeCommand(
  { cmd, entrypoint }: ContainerConfig,
  image: ImageConfig['config'],
): Pick<ContainerConfig, 'cmd' | 'entrypoint'> {
  if (entrypoint !== null && entrypoint.length > 0) return { cmd, entrypoint }
  return {
    cmd: cmd !== null && cmd.length > 0 ? cmd : (image.Cmd ?? null),
    entrypoint: entrypoint ?? image.Entrypoint ?? null,
  }
}

function missingFrom(env: readonly string[], defaults: readonly string[]): string[] {
  const names = new Set(env.map(nameOf))
  return defaults.filter((entry) => !names.has(nameOf(entry)))
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? ''
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])]
}
