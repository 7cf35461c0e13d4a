import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'
import { messageOf } from '#base/errors.ts'
import type { ProcessSpec, RuntimeSpec } from '#oci/runtime-spec.ts'
import { type RuntimeCall, writeBundle, writeExec } from '#shim/bundle.ts'
import type { Container, HostSettings } from './container.ts'
import type { ContainerContext } from './context.ts'
import type { OtherRuntime } from './runtimes.ts'

const run = promisify(execFile)
const deleteTimeoutMs = 20_000
/** All of the environment, as the shim has it for its calls. */
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

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
  return { path: runtime.path, options: optionsOf(context, runtime), root: state, bundle }
}

function optionsOf({ cgroupDriver }: ContainerContext, { args }: OtherRuntime): string[] {
  return [...args, ...(cgroupDriver === 'systemd' ? ['--systemd-cgroup'] : [])]
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

/** Ends what a dead shim left to the runtime that it called, which alone knows all of it. A runtime that cannot is told of in the log. */
export async function deleteElsewhere(
  context: ContainerContext,
  { id, host }: Pick<Container, 'id' | 'host'>,
): Promise<void> {
  const { state } = context.paths.otherRuntime(id)
  if (!existsSync(state)) return
  try {
    const runtime = context.runtimes.find(host.runtime)
    if (!runtime) return
    const args = [...optionsOf(context, runtime), '--root', state, 'delete', '--force', id]
    await run(runtime.path, args, { env: { PATH: searchPath }, timeout: deleteTimeoutMs, killSignal: 'SIGKILL' })
  } catch (error) {
    context.log.warn(
      { container: id, error: messageOf(error) },
      'the runtime of a dead shim did not delete its container',
    )
  }
}

/** The rules too, of which the built-in runtime is given the filter. */
function seccompOf({ seccomp }: ContainerContext, host: HostSettings, { linux }: RuntimeSpec): { seccomp?: object } {
  const profile = seccomp.profileOf(host)
  return profile ? { seccomp: { ...linux.seccomp, ...profile } } : {}
}
