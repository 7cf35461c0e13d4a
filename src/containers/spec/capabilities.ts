import { readFileSync } from 'node:fs'
import { invalid } from '#base/errors.ts'

/** By number, as linux/capability.h has them. */
const names =
  `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST
NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
CHECKPOINT_RESTORE`
    .split(/\s+/)
    .map((name) => `CAP_${name}`)

/** What every container has unless told otherwise, as Docker's. */
const defaults =
  `CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE`
    .split(' ')
    .map((name) => `CAP_${name}`)

export interface CapabilitySetting {
  readonly privileged: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
}

/** The capabilities of a container, in the kernel's order.   @throws `invalid` */
export function capabilitiesOf({ privileged, capAdd, capDrop }: CapabilitySetting): string[] {
  const known = knownToKernel()
  if (privileged) return [...known]
  const add = parseCapabilities(capAdd)
  const drop = parseCapabilities(capDrop)
  const base = add.includes('ALL') ? known : drop.includes('ALL') ? [] : defaults
  const dropped = drop.includes('ALL') && !add.includes('ALL') ? [] : drop
  const added = add.includes('ALL') ? [] : add
  const wanted = new Set([...base.filter((name) => !dropped.includes(name)), ...added])
  return known.filter((name) => wanted.has(name))
}

/** "net_admin", "CAP_NET_ADMIN", "all" → canonical names; "ALL" stays.   @throws `invalid` in Docker's words */
export function parseCapabilities(list: readonly string[]): string[] {
  return list.map((text) => {
    const upper = text.toUpperCase()
    if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL'
    const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
    if (!names.includes(name)) throw invalid(`unknown capability: "${name}"`)
    return name
  })
}

function knownToKernel(): readonly string[] {
  return names.slice(0, Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')) + 1)
}
