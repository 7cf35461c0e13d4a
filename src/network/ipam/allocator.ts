import { unavailable } from '#base/errors.ts'
import { contains, formatAddress, formatSubnet, hostRange, type Subnet } from './subnet.ts'

/**
 * The addresses of one subnet: lowest free first. It only counts; whoever owns the rows persists what was allocated and tells
 * it at the next start through `reserve`.
 */
export class AddressAllocator {
  readonly #subnet: Subnet
  readonly #last: number
  readonly #used = new Set<number>()
  /** Every address of the range below is in use. */
  #lowest: number

  constructor(subnet: Subnet) {
    const { first, last } = hostRange(subnet)
    this.#subnet = subnet
    this.#lowest = first
    this.#last = last
  }

  /** @throws `unavailable` when the subnet is full. */
  allocate(): number {
    while (this.#used.has(this.#lowest)) this.#lowest += 1
    if (this.#lowest > this.#last) {
      throw unavailable(`no available IPv4 addresses in the subnet ${formatSubnet(this.#subnet)}`, {
        code: 'subnet-full',
      })
    }
    this.#used.add(this.#lowest)
    return this.#lowest
  }

  /** Takes this address out of what is free.   @throws `unavailable` when it is in use or outside the subnet. */
  reserve(address: number): void {
    if (!contains(this.#subnet, address)) {
      throw unavailable(`the address ${formatAddress(address)} is not in the subnet ${formatSubnet(this.#subnet)}`)
    }
    if (this.#used.has(address)) throw unavailable(`the address ${formatAddress(address)} is already in use`)
    this.#used.add(address)
  }

  /** Freeing what is free is no error. */
  release(address: number): void {
    if (this.#used.delete(address) && address < this.#lowest) this.#lowest = address
  }
}
