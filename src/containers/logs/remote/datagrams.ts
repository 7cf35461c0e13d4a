import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { messageOf, systemCode, unavailable } from '#base/errors.ts'
import type { DatagramSockets } from './driver.ts'

export interface DatagramSender {
  send(datagrams: readonly Uint8Array[], signal: AbortSignal): Promise<void>
  close(): void
}

/** Nobody says whether they arrive. */
export function openUdp({ host, port }: { readonly host: string; readonly port: number }): DatagramSender {
  let socket: Socket | undefined
  let failure: Error | undefined
  const open = () => {
    socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').unref()
    socket.on('error', (error) => {
      failure = error
    })
    return socket
  }
  return {
    async send(datagrams) {
      if (failure) throw unavailable(`sending to ${host}:${port} failed: ${failure.message}`)
      for (const datagram of datagrams) {
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        ;(socket ?? open()).send(datagram, port, host, (error) => (error ? reject(error) : resolve()))
        await promise.catch((error: unknown) => {
          throw unavailable(`sending to ${host}:${port} failed: ${messageOf(error)}`)
        })
      }
    },
    close: () => socket?.close(),
  }
}

const retryMs = 20

/** To a socket of this host, whose reader may be slow. */
export function openUnixDatagrams(sockets: DatagramSockets, path: string): DatagramSender {
  let descriptor: number | undefined
  return {
    async send(datagrams, signal) {
      descriptor ??= sockets.connectDatagram(path)
      for (const datagram of datagrams) {
        while (!isTaken(sockets, descriptor, datagram)) {
          if (signal.aborted) throw unavailable(`${path} is not read`)
          await new Promise((resolve) => setTimeout(resolve, retryMs))
        }
      }
    },
    close() {
      if (descriptor !== undefined) sockets.close(descriptor)
      descriptor = undefined
    },
  }
}

function isTaken(sockets: DatagramSockets, descriptor: number, datagram: Uint8Array): boolean {
  try {
    sockets.send(descriptor, datagram, [])
    return true
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return false
    throw error
  }
}
