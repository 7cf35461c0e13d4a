import { internal } from '#base/errors.ts'
import type { Container, HostSettings } from '../container.ts'
import { parseContext } from './context.ts'

const containerMode = /^container:(.+)$/

/**
 * What `--security-opt` says besides what was given: who shares the host's processes or IPC, or is privileged, has no label, and who shares
 * those of a container has its label. Labels that were given stand. It is on record, and shown, without SELinux too, as by dockerd.
 * @param find @throws `not-found`
 * @throws `internal` in Docker's words for two containers of different labels
 */
export function defaultLabelOptions(host: HostSettings, find: (name: string) => Container): string[] {
  if (host.securityOpt.some((option) => option.split('=', 1)[0] === 'label')) return []
  const { ipcMode, pidMode, privileged } = host
  if (ipcMode === 'host' || pidMode === 'host' || privileged) return ['label=disable']
  const shared = [ipcMode, pidMode].flatMap((mode) => {
    const name = containerMode.exec(mode)?.[1]
    return name === undefined ? [] : [optionsOf(find(name).selinux?.process ?? '')]
  })
  const [first = [], second = first] = shared
  if (first.length === 0 || second.length === 0) return []
  if (first.join() !== second.join()) throw internal("--ipc and --pid containers SELinux labels aren't the same")
  return first
}

function optionsOf(processLabel: string): string[] {
  if (processLabel === '') return []
  const { user, role, type, level } = parseContext(processLabel)
  return [`user:${user}`, `role:${role}`, `type:${type}`, ...(level === '' ? [] : [`level:${level}`])].map(
    (option) => `label=${option}`,
  )
}
