import type { MountSpec, ProcessSpec } from '#oci/runtime-spec.ts'
import type { HostSettings } from '../container.ts'

/** Where Docker puts it. */
const path = '/sbin/docker-init'

/** Where another process is number 1, there is nothing to do for it; Docker passes over the wish too. */
export function runsUnderInit({ init, pidMode }: Pick<HostSettings, 'init' | 'pidMode'>): boolean {
  return init === true && pidMode === ''
}

export function underInit(process: ProcessSpec): ProcessSpec {
  return { ...process, args: [path, '--', ...process.args] }
}

export function initMount(source: string): MountSpec {
  return { destination: path, type: 'bind', source, options: ['bind', 'ro'] }
}
