import { forbidden, unavailable } from '#base/errors.ts'
import { contains, formatAddress, formatSubnet, hostRange, type Subnet } from './subnet.ts'

export interface AllocatorOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
  /** How long a released address rests. */
  readonly restMs?: number
  /** Only addresses of this part are allocated; `reserve` takes the others too. */
  readonly range?: Subnet
}

/**
 * The addresses of one subnet: lowest free first. A released address rests for a moment, as long as there are others: after a
 * killed shim the kernel takes tens of milliseconds to take the link down, and until then it still answers for the address.
 *
 * It only counts; whoever owns the rows persists what was allocated and tells it at the next start through `reserve`.
 */
export class AddressAllocator {
  readonly #subnet: Subnet
  readonly #first: number
  readonly #last: number
  readonly #now: () => number
  readonly #restMs: number
  readonly #used = new Set<number>()
  /** Released addresses with the time from which they are free again, oldest first. */
  readonly #resting = new Map<number, number>()
  /** Every address of the range below is in use. */
  #lowest: number

  constructor(subnet: Subnet, { now = () => performance.now(), restMs = 1000, range }: AllocatorOptions = {}) {
    const whole = hostRange(subnet)
    const part = range ? { first: range.base, last: range.base + 2 ** (32 - range.prefix) - 1 } : whole
    this.#subnet = subnet
    this.#first = Math.max(part.first, whole.first)
    this.#lowest = this.#first
    this.#last = Math.min(part.last, whole.last)
    this.#now = now
    this.#restMs = restMs
  }

  /** @throws `unavailable` when the subnet is full. */
  allocate(): number {
    this.#wake()
    while (this.#used.has(this.#lowest)) this.#lowest += 1
    let address = this.#lowest
    while (address <= this.#last && (this.#used.has(address) || this.#resting.has(address))) address += 1
    if (address > this.#last) {
      const rested = [...this.#resting.keys()].find((one) => one >= this.#first && one <= this.#last)
      if (rested === undefined) {
        const message = `no available IPv4 addresses in the subnet ${formatSubnet(this.#subnet)}`
        throw unavailable(message, { code: 'subnet-full' })
      }
      address = rested
    }
    this.#take(address)
    return address
  }

  /** Takes this address out of what is free.   @throws `forbidden` when it is in use, `unavailable` outside the subnet. */
  reserve(address: number): void {
    if (!contains(this.#subnet, address)) {
      throw unavailable(`the address ${formatAddress(address)} is not in the subnet ${formatSubnet(this.#subnet)}`)
    }
    if (this.#used.has(address)) throw forbidden('Address already in use')
    this.#take(address)
  }

  /** Freeing what is free is no error. */
  release(address: number): void {
    if (!this.#used.delete(address)) return
    this.#resting.set(address, this.#now() + this.#restMs)
    if (address < this.#lowest && address >= this.#first) this.#lowest = address
  }

  #take(address: number): void {
    this.#resting.delete(address)
    this.#used.add(address)
  }

  #wake(): void {
    const now = this.#now()
    for (const [address, free] of this.#resting) {
      if (free > now) break
      this.#resting.delete(address)
    }
  }
}
