import { readFile, writeFile } from 'node:fs/promises'
import { systemCode, unavailable } from '#base/errors.ts'
import type { HostMemory } from '../drivers/driver.ts'

const forwardingFile = '/proc/sys/net/ipv4/ip_forward'
const bootIdFile = '/proc/sys/kernel/random/boot_id'
const key = 'forwarding-since-boot'

export interface Forwarding {
  /** It is on, or will be, only because of us. */
  readonly ours: boolean
  /** Turns it on if it is off. */
  turnOn(): Promise<void>
}

/** IPv4 forwarding of this network namespace, and who turned it on since boot. */
export async function inspectForwarding(memory: HostMemory): Promise<Forwarding> {
  const bootId = await readLine(bootIdFile)
  if ((await readLine(forwardingFile)) !== '0') {
    return { ours: memory.get(key) === bootId, turnOn: async () => undefined }
  }
  return {
    ours: true,
    async turnOn() {
      await setForwarding('1')
      memory.set(key, bootId)
    },
  }
}

/** Turns it off again if it was us who turned it on. */
export async function restoreForwarding(memory: HostMemory): Promise<void> {
  if (memory.get(key) === (await readLine(bootIdFile))) await setForwarding('0')
  memory.set(key, undefined)
}

async function setForwarding(value: '0' | '1'): Promise<void> {
  try {
    await writeFile(forwardingFile, value)
  } catch (cause) {
    const reason = systemCode(cause) ?? 'unknown error'
    throw unavailable(`cannot set IPv4 forwarding (${forwardingFile}: ${reason}), which bridge networks need`, {
      code: 'forwarding-unavailable',
      cause,
    })
  }
}

async function readLine(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim()
}
