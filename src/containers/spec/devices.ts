import { readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { invalid, systemCode } from '#base/errors.ts'
import type { DeviceSpec, ResourcesSpec } from '#oci/runtime-spec.ts'
import type { DeviceMapping, HostSettings } from '../container.ts'

type DeviceRule = NonNullable<ResourcesSpec['devices']>[number]

export interface Devices {
  readonly nodes: readonly DeviceSpec[]
  readonly rules: readonly DeviceRule[]
}

/** null, zero, full, random, urandom, tty, ptmx, console, and the terminals of /dev/pts; everything else may only be made. */
const defaultRules: readonly DeviceRule[] = [
  { allow: false, type: 'a', access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[3, 5, 7, 8, 9].map((minor): DeviceRule => ({ allow: true, type: 'c', major: 1, minor, access: 'rwm' })),
  ...[0, 1, 2].map((minor): DeviceRule => ({ allow: true, type: 'c', major: 5, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
]

/** @throws `invalid` in Docker's words for a device that is not there */
export function devicesOf(host: HostSettings): Devices {
  if (host.privileged) {
    const nodes = hostDevices()
    return { nodes: [...nodes, ...mapped(host.devices).nodes], rules: [{ allow: true, type: 'a', access: 'rwm' }] }
  }
  const { nodes, rules } = mapped(host.devices)
  return { nodes, rules: [...defaultRules, ...rules, ...host.deviceCgroupRules.map(parseDeviceRule)] }
}

/** "c 1:3 rwm", "a *:* rwm".   @throws `invalid` in Docker's words */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text)
  if (!match) throw invalid(`invalid device cgroup rule format: '${text}'`)
  const [, type, major, minor, access = ''] = match
  return {
    allow: true,
    type: type as 'a' | 'b' | 'c',
    ...(major !== '*' && { major: Number(major) }),
    ...(minor !== '*' && { minor: Number(minor) }),
    access,
  }
}

function mapped(devices: readonly DeviceMapping[]): Devices {
  const found = devices.flatMap((device) => expand(device).map((node) => ({ node, access: device.permissions })))
  return {
    nodes: found.map(({ node }) => node),
    rules: found.map(({ node: { type, major, minor }, access }) => ({
      allow: true,
      type: type === 'b' ? 'b' : 'c',
      major,
      minor,
      access: access === '' ? 'rwm' : access,
    })),
  }
}

/** A device, or every device below a directory. */
function expand({ pathOnHost, pathInContainer }: DeviceMapping): DeviceSpec[] {
  const stat = statDevice(pathOnHost)
  if (!stat.isDirectory()) return [toNode(pathInContainer, pathOnHost, stat)]
  return devicesBelow(pathOnHost, pathInContainer)
}

/** @throws `invalid` in Docker's words */
export function deviceNumber(path: string): { major: number; minor: number } {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw invalid(`stat ${path}: no such file or directory`)
  if (!stat.isBlockDevice()) throw invalid(`${path} is no block device, whose speed could be limited`)
  return splitDevice(stat.rdev)
}

/** A device of the host under a path of the container.   @throws `invalid` in Docker's words */
export function hostDevice(path: string, hostPath: string): DeviceSpec {
  return toNode(path, hostPath, statDevice(hostPath))
}

function statDevice(path: string): Stats {
  try {
    return statSync(path)
  } catch (cause) {
    const code = systemCode(cause)
    const why = code === 'ENOENT' ? 'no such file or directory' : (code ?? 'cannot be read')
    throw invalid(`error gathering device information while adding custom device "${path}": ${why}`, { cause })
  }
}

function toNode(path: string, hostPath: string, stat: Stats): DeviceSpec {
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) {
    throw invalid(`error gathering device information while adding custom device "${hostPath}": not a device node`)
  }
  return {
    type: stat.isBlockDevice() ? 'b' : 'c',
    path,
    ...splitDevice(stat.rdev),
    fileMode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
  }
}

/** @see makedev(3) of Linux */
function splitDevice(device: number): { major: number; minor: number } {
  const number = BigInt(device)
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  }
}

/** Every device of the host, as `--privileged` gives them; the container has its own terminals, queues and shared memory. */
function hostDevices(): DeviceSpec[] {
  return devicesBelow('/dev', '/dev').filter(({ path }) => path !== '/dev/console' && path !== '/dev/ptmx')
}

const ownFilesystems = ['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']

function devicesBelow(hostPath: string, path: string): DeviceSpec[] {
  return readdirSync(hostPath, { withFileTypes: true }).flatMap((entry) => {
    const child = join(hostPath, entry.name)
    const target = join(path, entry.name)
    if (entry.isDirectory()) return ownFilesystems.includes(entry.name) ? [] : devicesBelow(child, target)
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return []
    return [toNode(target, child, statDevice(child))]
  })
}
