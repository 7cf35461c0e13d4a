import type { SandboxPlan } from '#network/sandbox.ts'
import type { RuntimeCall } from '#shim/bundle.ts'
import type { Container } from './container.ts'
import type { ContainerPaths } from './container-paths.ts'
import { type LogPlan, parseLogOptions } from './logs/log-options.ts'
import type { RootfsMounts } from './ports.ts'

export interface KeeperInput {
  readonly paths: ContainerPaths
  readonly rootfs: RootfsMounts
  readonly network: SandboxPlan
  /** The layers belong to the host's ids and are shown to the container as its own. */
  readonly idMapped: boolean
  /** Undefined: the built-in one. */
  readonly runtime: RuntimeCall | undefined
  /** Path of berth-unpack. */
  readonly compressor: string
}

/** What the shim itself needs to know of a container. @see runtime/lib/plan.h, struct keeper_plan */
export function toKeeper(
  { id, config, host }: Container,
  { paths, rootfs, network, idMapped, runtime, compressor }: KeeperInput,
): object {
  const log = parseLogOptions(host.logConfig)
  return {
    id,
    directory: paths.shimDirectory(id),
    stdin: { open: config.openStdin, once: config.stdinOnce },
    log: toLog(log, { path: paths.log(id), compressor }),
    rootfs: { ...rootfsOf(rootfs), ...(idMapped && { idMapped }) },
    network,
    ...(runtime && { runtime }),
  }
}

function toLog(log: LogPlan, { path, compressor }: { readonly path: string; readonly compressor: string }): object {
  if (log.driver === 'none') return log
  const { compress, ...rest } = log
  return { ...rest, path, ...(compress && { compressor }) }
}

function rootfsOf({ kind, path, lower, upper, work }: RootfsMounts): object {
  if (kind === 'directory') return { kind, path }
  return { kind, path, lower, ...(upper !== undefined && { upper }), ...(work !== undefined && { work }) }
}
