import { isIPv6 } from 'node:net'
import { internal, isKind, messageOf, systemCode } from '#base/errors.ts'
import type { FirewallPort } from '#runtime/firewall.ts'
import type { HostFirewall } from '../firewall/host-firewall.ts'
import { formatAddress, parseAddress } from '../ipam/subnet.ts'
import type { SandboxKeeper } from '../sandbox.ts'
import { alreadyAllocated, HostPorts, type PublishedPort } from './host-ports.ts'
import type { RequestedPort } from './requested.ts'

const sideBySide = 256

/** Publishes ports: a socket of the container's shim takes each on the host, and the firewall leads outside traffic past it. */
export class Publisher {
  readonly #firewall: HostFirewall
  readonly #ports = new HostPorts()

  constructor(firewall: HostFirewall) {
    this.#firewall = firewall
  }

  /** At boot: what a container has published by now. */
  adopt(ports: readonly PublishedPort[], address: number): void {
    for (const port of ports) this.#ports.take(port)
    this.#firewall.adoptPorts(rulesOf(ports, address))
  }

  /** All or none.   @throws `internal` in Docker's words for a port that somebody has */
  async publish(
    requests: readonly RequestedPort[],
    address: number,
    keeper: SandboxKeeper,
  ): Promise<readonly PublishedPort[]> {
    const published: PublishedPort[] = []
    try {
      for (const group of groupsOf(requests)) {
        const outcomes = await Promise.allSettled(group.map((one) => this.#publishOne(one, address, keeper)))
        published.push(...outcomes.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])))
        const refused = outcomes.find((one) => one.status === 'rejected')
        if (refused) throw refused.reason
      }
      await this.#firewall.addPorts(rulesOf(published, address))
      return published
    } catch (error) {
      for (const port of published) {
        this.#ports.release(port)
        await keeper.withdraw(port).catch(() => undefined)
      }
      throw error
    }
  }

  /** The container has another address, or the ports lead to another of its networks. */
  async move(
    ports: readonly PublishedPort[],
    { from, to, keeper }: { readonly from: number; readonly to: number; readonly keeper: SandboxKeeper },
  ): Promise<void> {
    await this.#firewall.removePorts(rulesOf(ports, from))
    for (const port of ports) await keeper.publish(port, { address: formatAddress(to), port: port.port })
    await this.#firewall.addPorts(rulesOf(ports, to))
  }

  /** @param keeper undefined: its sockets have gone with it */
  async withdraw(ports: readonly PublishedPort[], address: number, keeper?: SandboxKeeper): Promise<void> {
    if (ports.length === 0) return
    await this.#firewall.removePorts(rulesOf(ports, address))
    for (const port of ports) {
      await keeper?.withdraw(port).catch(ignoreMissing)
      this.#ports.release(port)
    }
  }

  async #publishOne(request: RequestedPort, address: number, keeper: SandboxKeeper): Promise<PublishedPort> {
    const { protocol, port, hostAddress } = request
    const several = !isOne(request)
    let refused: unknown
    for await (const hostPort of this.#ports.candidates(request)) {
      const published: PublishedPort = { protocol, port, hostAddress, hostPort }
      if (this.#ports.isTaken(published)) {
        refused = alreadyAllocated(published)
      } else {
        this.#ports.take(published)
        try {
          await keeper.publish(published, { address: formatAddress(address), port })
          return published
        } catch (error) {
          this.#ports.release(published)
          if (systemCode(error) !== 'EADDRINUSE') throw cannotBind(published, address, messageOf(error))
          refused = cannotBind(published, address, 'address already in use')
        }
      }
      if (!several) break
    }
    throw refused
  }
}

/** Ports that are told by their number are taken side by side, those to choose from one after another, in their order. */
function groupsOf(requests: readonly RequestedPort[]): RequestedPort[][] {
  const groups: RequestedPort[][] = []
  for (const request of requests) {
    const last = groups.at(-1)
    if (last?.[0] && last.length < sideBySide && isOne(request) && isOne(last[0])) last.push(request)
    else groups.push([request])
  }
  return groups
}

function isOne({ range }: RequestedPort): boolean {
  return range !== undefined && range.first === range.last
}

function cannotBind({ protocol, port, hostAddress, hostPort }: PublishedPort, address: number, why: string): Error {
  const host = hostAddress === '' ? '0.0.0.0' : hostAddress
  return internal(
    `failed to bind host port for ${host}:${hostPort}:${formatAddress(address)}:${port}/${protocol}: ${why}`,
  )
}

/** What comes to the host's loopback never passes these rules, and IPv6 has no way into a container: the shim passes both on. */
function rulesOf(ports: readonly PublishedPort[], address: number): FirewallPort[] {
  return ports.flatMap(({ protocol, port, hostAddress, hostPort }) => {
    if (isIPv6(hostAddress) || hostAddress.startsWith('127.')) return []
    const everywhere = hostAddress === '' || hostAddress === '0.0.0.0'
    return [{ protocol, port, address, hostPort, hostAddress: everywhere ? undefined : parseAddress(hostAddress) }]
  })
}

function ignoreMissing(error: unknown): void {
  if (!isKind(error, 'not-found') && !isKind(error, 'unavailable')) throw error
}
