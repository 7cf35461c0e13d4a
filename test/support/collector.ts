import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { decodeMulti } from '@msgpack/msgpack'
import { waitFor } from './wait-for.ts'

/** Where it listens: a port on loopback, or the path of a Unix socket. */
export type CollectorPlace = `${'tcp' | 'udp'}:${number}` | `${'stream' | 'datagram'}:${string}`

export interface Collector extends AsyncDisposable {
  /** What came so far: one piece a datagram, or all of the streams as one. */
  readonly pieces: readonly Buffer[]
  readonly text: string
  /** Resolves when the text has all of them. */
  until(...parts: readonly string[]): Promise<void>
}

/** Prints what arrives, a line of hexadecimal digits for each piece. Node has no datagram sockets of the Unix kind. */
const program = `
import os, socket, sys, threading
kind, place = sys.argv[1].split(':', 1)
family = socket.AF_INET if kind in ('tcp', 'udp') else socket.AF_UNIX
listener = socket.socket(family, socket.SOCK_STREAM if kind in ('tcp', 'stream') else socket.SOCK_DGRAM)
if family == socket.AF_INET: listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
elif os.path.exists(place): os.unlink(place)
listener.bind(('127.0.0.1', int(place)) if family == socket.AF_INET else place)
def receive(connection):
    while True:
        data = connection.recv(1 << 20)
        if not data and kind in ('tcp', 'stream'): return
        print(data.hex(), flush=True)
print('', flush=True)
if kind in ('udp', 'datagram'): receive(listener)
listener.listen()
while True: threading.Thread(target=receive, args=(listener.accept()[0],), daemon=True).start()
`

/** @param enter runs it in a network namespace */
export async function startCollector(place: CollectorPlace, enter: readonly string[] = []): Promise<Collector> {
  const [command = '', ...args] = [...enter, 'python3', '-c', program, place]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const pieces: Buffer[] = []
  const lines = createInterface(child.stdout)
  await once(lines, 'line')
  lines.on('line', (line) => pieces.push(Buffer.from(line, 'hex')))
  const text = () => Buffer.concat(pieces).toString()
  return {
    pieces,
    get text() {
      return text()
    },
    async until(...parts) {
      await waitFor(`the collector has ${parts.join(', ')}`, () => parts.every((part) => text().includes(part)))
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Messages of the forward protocol. */
export function decodeForward({ pieces }: Collector): unknown[] {
  return [...decodeMulti(Buffer.concat(pieces))]
}
