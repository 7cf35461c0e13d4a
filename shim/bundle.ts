/** What a runtime that is driven by command line reads: a directory with config.json, and a file for each exec. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RuntimeSpec } from '#oci/runtime-spec.ts'

/** The keeper document's `runtime`. @see runtime/lib/plan.h */
export interface RuntimeCall {
  /** The program, absolute. */
  readonly path: string
  /** Before the verb; `--root` and `--log` are the shim's. */
  readonly options?: readonly string[]
  /** Its directory of states. */
  readonly root: string
  readonly bundle: string
}

/**
 * Writes config.json. A new network namespace becomes the one that the shim makes and shows, to its runtime alone, as `netns` in the bundle.
 * @param bundle an existing directory of the container's own
 */
export async function writeBundle(bundle: string, config: RuntimeSpec): Promise<void> {
  const netns = join(bundle, 'netns')
  await writeFile(netns, '', { mode: 0o600 })
  const namespaces = config.linux.namespaces.map((namespace) =>
    namespace.type === 'network' && namespace.path === undefined ? { ...namespace, path: netns } : namespace,
  )
  // Runtimes of some years ago refuse every other version than 1.0, and pass over what they do not know.
  const own = { ...config, ociVersion: '1.0.2', linux: { ...config.linux, namespaces } }
  await writeFile(join(bundle, 'config.json'), JSON.stringify(own), { mode: 0o600 })
}

/** Before the exec's `create`; the shim removes it. */
export async function writeExec(bundle: string, id: string, process: object): Promise<void> {
  await writeFile(join(bundle, `exec-${id}.json`), JSON.stringify(process), { mode: 0o600 })
}
