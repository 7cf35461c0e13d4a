import type { SandboxPlan } from '#network/sandbox.ts'
import type { RuntimeCall } from '#shim/bundle.ts'
import type { Container } from './container.ts'
import type { ContainerPaths } from './container-paths.ts'
import { parseLogOptions } from './logs/log-options.ts'
import type { RootfsMounts } from './ports.ts'

export interface KeeperInput {
  readonly paths: ContainerPaths
  readonly rootfs: RootfsMounts
  readonly network: SandboxPlan
  /** The layers belong to the host's ids and are shown to the container as its own. */
  readonly idMapped: boolean
  /** Undefined: the built-in one. */
  readonly runtime: RuntimeCall | undefined
}

/** What the shim itself needs to know of a container. @see runtime/lib/plan.h, struct keeper_plan */
export function toKeeper(
  { id, config, host }: Container,
  { paths, rootfs, network, idMapped, runtime }: KeeperInput,
): object {
  const log = parseLogOptions(host.logConfig)
  return {
    id,
    directory: paths.shimDirectory(id),
    stdin: { open: config.openStdin, once: config.stdinOnce },
    log: log.driver === 'none' ? log : { ...log, path: paths.log(id) },
    rootfs: { ...rootfsOf(rootfs), ...(idMapped && { idMapped }) },
    network,
    ...(runtime && { runtime }),
  }
}

function rootfsOf({ kind, path, lower, upper, work }: RootfsMounts): object {
  if (kind === 'directory') return { kind, path }
  return { kind, path, lower, ...(upper !== undefined && { upper }), ...(work !== undefined && { work }) }
}
