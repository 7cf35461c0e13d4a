import { existsSync } from 'node:fs'
import { invalid } from '#base/errors.ts'
import type { CgroupDriver } from '#containers/spec/cgroups.ts'
import type { CgroupLayout } from '#runtime/cgroup.ts'

const option = 'native.cgroupdriver'

/**
 * As `exec-opts` says, else systemd's where it is process 1 and all controllers are in the unified hierarchy.
 * @throws `invalid` for other options, and for systemd where it cannot make groups for us
 */
export function chooseCgroupDriver(execOptions: readonly string[], layout: CgroupLayout): CgroupDriver {
  const asked = execOptions.map(parse).at(-1)
  const reason = missing(layout)
  if (asked === 'systemd' && reason !== undefined) throw invalid(`${option}=systemd cannot be served: ${reason}`)
  return asked ?? (reason === undefined ? 'systemd' : 'cgroupfs')
}

function parse(text: string): CgroupDriver {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key?.toLowerCase() !== option) throw invalid(`exec-opts: unknown option "${text}": there is ${option} only`)
  if (value !== 'cgroupfs' && value !== 'systemd') {
    throw invalid(`exec-opts: invalid ${option} "${value}": choose cgroupfs or systemd`)
  }
  return value
}

/** @see sd_booted(3) */
function missing({ hierarchies }: CgroupLayout): string | undefined {
  if (!existsSync('/run/systemd/system')) return 'systemd is not the init of this host'
  return hierarchies.every(({ unified }) => unified) ? undefined : 'this host has cgroup v1 controllers'
}
