import { statSync } from 'node:fs'
import { invalid } from '#base/errors.ts'
import { clean } from './clean-path.ts'
import type { ContainerConfig, HostSettings, MountSetting, RestartPolicy } from './container.ts'
import { validateHealthcheck } from './health/check.ts'
import { parseLogOptions } from './logs/log-options.ts'
import { parseSignal } from './signals.ts'
import { parseCapabilities } from './spec/capabilities.ts'
import { parseDeviceRule } from './spec/devices.ts'
import { ulimitNames } from './spec/process-defaults.ts'
import { parseSeccompProfile } from './spec/seccomp.ts'
import { parseSecurityOptions } from './spec/security-options.ts'
import { validateResources } from './validate-resources.ts'

/** What has a namespace of its own; everything else of /proc/sys is the host's. */
const namespacedSysctls =
  `kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni
kernel.shm_rmid_forced kernel.domainname`.split(/\s+/)

/** Checks what create was asked for, in Docker's words.   @throws `invalid` */
export function validate(config: ContainerConfig, host: HostSettings): void {
  validateConfig(config)
  validateHealthcheck({ config })
  validateHost(host)
  validateMounts(host.mounts)
  if (config.volumes.some((target) => target !== '' && clean(target) === '/')) throw rootIsNoTarget()
  validateSysctls(host)
  validateResources(host)
  parseLogOptions(host.logConfig)
}

function validateConfig({ workingDir, env, stopSignal, hostname }: ContainerConfig): void {
  if (workingDir !== '' && !workingDir.startsWith('/')) {
    throw invalid(`the working directory '${workingDir}' is invalid, it needs to be an absolute path`)
  }
  for (const entry of env)
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`)
  if (stopSignal !== undefined && stopSignal !== '') parseSignal(stopSignal)
  if (hostname.length > 64) throw invalid(`invalid hostname: ${hostname}`)
}

function validateHost(host: HostSettings): void {
  within('CapAdd', () => parseCapabilities(host.capAdd))
  within('CapDrop', () => parseCapabilities(host.capDrop))
  const { seccomp } = parseSecurityOptions(host.securityOpt)
  if (typeof seccomp === 'object') parseSeccompProfile(seccomp.profile)
  for (const rule of host.deviceCgroupRules) parseDeviceRule(rule)
  for (const { name } of host.ulimits) if (!ulimitNames.includes(name)) throw invalid(`invalid ulimit type: ${name}`)
  for (const entry of host.extraHosts) {
    if (!/^[^:=]+[:=].+$/.test(entry)) throw invalid(`bad format for add-host: "${entry}"`)
  }
  validateModes(host)
  validateRestart(host)
}

function within<T>(field: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw invalid(`invalid ${field}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function validateModes({
  ipcMode,
  pidMode,
  usernsMode,
  utsMode,
  cgroupnsMode,
  shmSizeBytes,
  oomScoreAdj,
}: HostSettings): void {
  const isContainer = (mode: string) => mode.startsWith('container:')
  if (!['', 'private', 'shareable', 'none', 'host'].includes(ipcMode) && !isContainer(ipcMode)) {
    throw invalid(`invalid IPC mode: ${ipcMode}`)
  }
  if (!['', 'host'].includes(pidMode) && !isContainer(pidMode)) throw invalid(`invalid PID mode: ${pidMode}`)
  if (!['', 'host'].includes(usernsMode)) throw invalid(`invalid user namespace mode: ${usernsMode}`)
  if (!['', 'host'].includes(utsMode)) throw invalid(`invalid UTS mode: ${utsMode}`)
  if (!['', 'host', 'private'].includes(cgroupnsMode)) throw invalid(`invalid cgroup namespace mode: ${cgroupnsMode}`)
  if (shmSizeBytes < 0) throw invalid('SHM size can not be less than 0')
  if (oomScoreAdj < -1000 || oomScoreAdj > 1000) {
    throw invalid(`Invalid value ${oomScoreAdj}, range for oom score adj is [-1000, 1000]`)
  }
}

function validateRestart({ restartPolicy, autoRemove }: HostSettings): void {
  if (autoRemove && restartPolicy.name !== 'no') {
    throw invalid("can't create 'AutoRemove' container with restart policy")
  }
  validateRestartPolicy(restartPolicy)
}

/** @throws `invalid` in Docker's words */
export function validateRestartPolicy({ name, maximumRetryCount }: RestartPolicy): void {
  if (maximumRetryCount === 0) return
  const isNegative = maximumRetryCount < 0
  if (name !== 'on-failure') {
    const also = isNegative ? ' and cannot be negative' : ''
    throw invalid(`invalid restart policy: maximum retry count can only be used with 'on-failure'${also}`)
  }
  if (isNegative) throw invalid('invalid restart policy: maximum retry count cannot be negative')
}

function validateMounts(mounts: readonly MountSetting[]): void {
  const seen = new Map<string, MountSetting>()
  for (const mount of mounts) {
    const target = validateTarget(mount)
    // What --mount puts there covers a --tmpfs, as with dockerd.
    if (seen.get(target)?.origin === 'mounts' && mount.origin === 'tmpfs') continue
    if (seen.has(target)) throw invalid(`Duplicate mount point: ${target}`)
    seen.set(target, mount)
    if (mount.type === 'bind') validateBind(mount)
  }
}

function validateTarget({ target, type }: MountSetting): string {
  if (target === '') throw invalid(`invalid mount config for type "${type}": field Target must not be empty`)
  if (!target.startsWith('/')) throw invalid(`invalid mount path: '${target}' mount path must be absolute`)
  if (target.split('/').includes('..')) throw invalid(`invalid mount path: '${target}' must not contain '..'`)
  const path = clean(target)
  if (path === '/') throw rootIsNoTarget()
  return path
}

function rootIsNoTarget(): Error {
  return invalid("invalid specification: destination can't be '/'")
}

function validateBind({ source, createSource }: MountSetting): void {
  if (!source.startsWith('/')) {
    throw invalid(`invalid mount config for type "bind": invalid mount path: '${source}' mount path must be absolute`)
  }
  if (!createSource && !statSync(source, { throwIfNoEntry: false })) {
    throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${source}`)
  }
}

function validateSysctls({ sysctls, networkMode, ipcMode }: HostSettings): void {
  for (const [name, value] of Object.entries(sysctls)) {
    const key = name.replaceAll('/', '.')
    if (key.includes('..') || !/^[\w.*-]+$/.test(key) || value.includes('\0'))
      throw invalid(`invalid sysctl: ${name}=${value}`)
    const isNetwork = key.startsWith('net.')
    const isIpc = key.startsWith('fs.mqueue.') || namespacedSysctls.includes(key)
    if (isNetwork && networkMode === 'host') throw invalid(`sysctl "${name}" not allowed in host network namespace`)
    if (isIpc && ipcMode === 'host') throw invalid(`sysctl "${name}" not allowed in host ipc namespace`)
    if (!isNetwork && !isIpc) throw invalid(`sysctl "${name}" is not in a separate kernel namespace`)
  }
}
