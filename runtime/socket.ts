import { closeSync } from 'node:fs'
import { type Library, valueAt } from './library.ts'

export interface Peer {
  readonly pid: number
  readonly uid: number
}

/** Unix sockets in ways that Node lacks. Descriptors are non-blocking and close on exec; the caller closes them. */
export interface Sockets {
  /** Two connected ends of a stream. */
  socketPair(): readonly [number, number]
  /** Paths longer than a socket address are allowed.   @throws `not-found`, `unavailable` when nobody listens. */
  connect(path: string): number
  /** A datagram socket.   @throws `not-found`, `unavailable` when nobody listens. */
  connectDatagram(path: string): number
  /** One frame, whole, with up to eight descriptors, which stay the caller's.   @throws `unavailable` when the peer does not read. */
  send(socket: number, frame: Uint8Array, descriptors: readonly number[]): void
  close(descriptor: number): void
  peer(socket: number): Peer
  /** A copy of a descriptor of another process.   @param startTime field 22 of /proc/PID/stat   @throws `not-found` */
  fetchDescriptor(pid: number, startTime: bigint, descriptor: number): number
}

export function openSockets(library: Library): Sockets {
  return {
    socketPair() {
      const ends = new Int32Array(2)
      library.call('berth_socketpair', ends)
      return [valueAt(ends, 0), valueAt(ends, 1)]
    },
    connect(path) {
      const descriptor = new Int32Array(1)
      library.call('berth_connect', path, descriptor)
      return valueAt(descriptor, 0)
    },
    connectDatagram(path) {
      const descriptor = new Int32Array(1)
      library.call('berth_connect_datagram', path, descriptor)
      return valueAt(descriptor, 0)
    },
    send(socket, frame, descriptors) {
      const list = descriptors.length > 0 ? Int32Array.from(descriptors) : null
      library.call('berth_send', socket, frame, frame.length, list, descriptors.length)
    },
    close: closeSync,
    peer(socket) {
      const pid = new Int32Array(1)
      const uid = new Int32Array(1)
      library.call('berth_peer_pid', socket, pid, uid)
      return { pid: valueAt(pid, 0), uid: valueAt(uid, 0) >>> 0 }
    },
    fetchDescriptor(pid, startTime, descriptor) {
      const copy = new Int32Array(1)
      library.call('berth_fetch_fd', pid, startTime, descriptor, copy)
      return valueAt(copy, 0)
    },
  }
}
