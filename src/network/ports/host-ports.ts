import { readFile } from 'node:fs/promises'
import { internal } from '#base/errors.ts'
import type { HostRange, RequestedPort } from './requested.ts'

/** A port of a container that is reached by one of the host. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  /** Empty: every address, of both families. */
  readonly hostAddress: string
  readonly hostPort: number
}

type Key = Pick<PublishedPort, 'protocol' | 'hostAddress' | 'hostPort'>

const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range'
const usualRange: HostRange = { first: 32_768, last: 60_999 }

/** The ports of the host that our containers have. */
export class HostPorts {
  /** By protocol and number, then by address. */
  readonly #taken = new Map<string, Map<string, Key>>()
  #next = 0

  take(port: Key): void {
    const same = this.#taken.get(numberOf(port)) ?? new Map<string, Key>()
    this.#taken.set(numberOf(port), same.set(port.hostAddress, port))
  }

  release(port: Key): void {
    const same = this.#taken.get(numberOf(port))
    same?.delete(port.hostAddress)
    if (same?.size === 0) this.#taken.delete(numberOf(port))
  }

  /** Whether one of ours has it, at this address or at one that includes it. */
  isTaken(port: Key): boolean {
    const { hostAddress } = port
    const [address, everywhere] = [familyOf(hostAddress), isEverywhere(hostAddress)]
    return [...(this.#taken.get(numberOf(port))?.values() ?? [])].some(
      (one) =>
        (hostAddress === '' || one.hostAddress === '' || familyOf(one.hostAddress) === address) &&
        (everywhere || isEverywhere(one.hostAddress) || one.hostAddress === hostAddress),
    )
  }

  /** Ports to try for a request, in their order: those of its range, or, from where the last search ended, those that the kernel gives to programs. */
  async *candidates({ range }: RequestedPort): AsyncGenerator<number> {
    const { first, last } = range ?? (await ephemeralRange())
    const count = last - first + 1
    const start = range || this.#next < first || this.#next > last ? first : this.#next
    for (let i = 0; i < count; i++) {
      const port = first + ((start - first + i) % count)
      if (!range) this.#next = port + 1
      yield port
    }
  }
}

/** How Docker writes an address with a port. */
export function hostText({ hostAddress, hostPort }: Pick<PublishedPort, 'hostAddress' | 'hostPort'>): string {
  const address = hostAddress === '' ? '0.0.0.0' : hostAddress
  return `${address.includes(':') ? `[${address}]` : address}:${hostPort}`
}

export function alreadyAllocated(port: Pick<PublishedPort, 'hostAddress' | 'hostPort'>): Error {
  return internal(`Bind for ${hostText(port)} failed: port is already allocated`)
}

function isEverywhere(address: string): boolean {
  return address === '' || address === '0.0.0.0' || address === '::'
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

function numberOf({ protocol, hostPort }: Key): string {
  return `${protocol} ${hostPort}`
}

async function ephemeralRange(): Promise<HostRange> {
  const [first, last] = (await readFile(rangeFile, 'utf8').catch(() => '')).trim().split(/\s+/).map(Number)
  return first && last && first < last ? { first, last } : usualRange
}
