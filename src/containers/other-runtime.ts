import { mkdir } from 'node:fs/promises'
import type { ProcessSpec, RuntimeSpec } from '#oci/runtime-spec.ts'
import { type RuntimeCall, writeBundle, writeExec } from '#shim/bundle.ts'
import type { Container, HostSettings } from './container.ts'
import type { ContainerContext } from './context.ts'

/** What the shim needs to call the runtime that the container asked for, its bundle written; undefined: the built-in one.   @throws `invalid` for one that is configured no more */
export async function prepareOtherRuntime(
  context: ContainerContext,
  { id, host }: Pick<Container, 'id' | 'host'>,
  spec: RuntimeSpec,
): Promise<RuntimeCall | undefined> {
  const runtime = context.runtimes.find(host.runtime)
  if (!runtime) return undefined
  const { bundle, state } = context.paths.otherRuntime(id)
  await Promise.all([bundle, state].map((directory) => mkdir(directory, { mode: 0o700 })))
  await writeBundle(bundle, { ...spec, linux: { ...spec.linux, ...seccompOf(context, host, spec) } })
  const scopes = context.cgroupDriver === 'systemd' ? ['--systemd-cgroup'] : []
  return { path: runtime.path, options: [...runtime.args, ...scopes], root: state, bundle }
}

/** Writes what an exec runs where the container's runtime reads it, if that is not the built-in one. */
export async function prepareOtherExec(
  context: ContainerContext,
  { id, host }: Pick<Container, 'id' | 'host'>,
  execId: string,
  process: ProcessSpec,
): Promise<void> {
  if (context.runtimes.find(host.runtime)) await writeExec(context.paths.otherRuntime(id).bundle, execId, process)
}

/** The rules too, of which the built-in runtime is given the filter. */
function seccompOf({ seccomp }: ContainerContext, host: HostSettings, { linux }: RuntimeSpec): { seccomp?: object } {
  const profile = seccomp.profileOf(host)
  return profile ? { seccomp: { ...linux.seccomp, ...profile } } : {}
}
