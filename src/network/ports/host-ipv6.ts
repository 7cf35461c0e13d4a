import { existsSync } from 'node:fs'

/** Whether the host has IPv6 at all: ports of every address are then of both families. */
export function hasIpv6(): boolean {
  return existsSync('/proc/self/net/if_inet6')
}
