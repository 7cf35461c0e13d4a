import type { Duplex } from 'node:stream'

const nothing = new Uint8Array(0)

/** True for the requests whose connection becomes a stream. */
export function mayHijack(method: string | undefined, url: string | undefined): boolean {
  return (
    method === 'POST' && /^(?:\/v[\d.]+)?\/(?:containers\/[^/]+\/attach|exec\/[^/]+\/start)(?:\?|$)/.test(url ?? '')
  )
}

/** True for the requests that may ask for another protocol. */
export function mayUpgrade(method: string | undefined, url: string | undefined): boolean {
  const isWebSocket = method === 'GET' && /^(?:\/v[\d.]+)?\/containers\/[^/]+\/attach\/ws(?:\?|$)/.test(url ?? '')
  return isWebSocket || mayHijack(method, url)
}

/**
 * Input that a client sends behind an attach or exec request before it has the answer. To node:http those bytes are a
 * broken second request; they are kept here until the process is there.
 */
export class EarlyInput {
  readonly #held = new WeakMap<Duplex, Uint8Array>()

  /** From now on the socket's broken requests are input. */
  expect(socket: Duplex): void {
    this.#held.set(socket, nothing)
  }

  /** False when the socket was not expected to send input. */
  offer(socket: Duplex, bytes: Uint8Array): boolean {
    const before = this.#held.get(socket)
    if (!before) return false
    this.#held.set(socket, before.length === 0 ? bytes : Buffer.concat([before, bytes]))
    return true
  }

  take(socket: Duplex): Uint8Array {
    const held = this.#held.get(socket) ?? nothing
    this.#held.delete(socket)
    return held
  }
}
