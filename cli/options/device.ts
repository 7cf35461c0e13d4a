import { invalid } from '#base/errors.ts'
import type { DeviceMapping } from '#contract/types.gen.ts'
import { parseSize } from './size.ts'

/** `--device /dev/a[:/dev/b[:rwm]]`; names of devices in CDI form (vendor/class=name) are not served.   @throws `invalid` */
export function parseDevice(text: string): DeviceMapping {
  const [host = '', second = '', third] = text.split(':')
  const wrong = (): Error => invalid(`invalid device specification: ${text}`)
  if (text.split(':').length > 3 || host === '') throw wrong()
  const secondIsMode = third === undefined && isMode(second)
  if (third !== undefined && !isMode(third)) throw invalid(`invalid device mode: ${third}`)
  return {
    PathOnHost: host,
    PathInContainer: second === '' || secondIsMode ? host : second,
    CgroupPermissions: secondIsMode ? second : (third ?? 'rwm'),
  }
}

function isMode(text: string): boolean {
  return text !== '' && /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length
}

/** `--device-cgroup-rule 'c 1:3 mr'`.   @throws `invalid` */
export function checkDeviceRule(text: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) throw invalid(`invalid device cgroup format '${text}'`)
  return text
}

/** `--blkio-weight-device /dev/sda:500`.   @throws `invalid` */
export function parseWeightDevice(text: string): { Path: string; Weight: number } {
  const { path, value } = splitDevice(text)
  const weight = Number(value)
  if (!/^\d+$/.test(value) || (weight > 0 && (weight < 10 || weight > 1000)))
    throw invalid(`invalid weight for device: ${text}`)
  return { Path: path, Weight: weight }
}

/** `--device-read-bps /dev/sda:1mb`.   @throws `invalid` */
export function parseThrottleBytes(text: string): { Path: string; Rate: number } {
  const { path, value } = splitDevice(text)
  try {
    return { Path: path, Rate: parseSize(value) }
  } catch (error) {
    throw invalid(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
      { cause: error },
    )
  }
}

/** `--device-read-iops /dev/sda:1000`.   @throws `invalid` */
export function parseThrottleCount(text: string): { Path: string; Rate: number } {
  const { path, value } = splitDevice(text)
  if (!/^\d+$/.test(value)) {
    throw invalid(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    )
  }
  return { Path: path, Rate: Number(value) }
}

function splitDevice(text: string): { path: string; value: string } {
  const colon = text.indexOf(':')
  if (colon <= 0) throw invalid(`bad format: ${text}`)
  const path = text.slice(0, colon)
  if (!path.startsWith('/dev/')) throw invalid(`bad format for device path: ${text}`)
  return { path, value: text.slice(colon + 1) }
}
