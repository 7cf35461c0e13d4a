/** NAME ADDRESS: asks 127.0.0.11 of this network namespace for the name, a thousand times a second, and prints how long answers took. */
import { createSocket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'
import { decode, encode } from 'dns-packet'
import { quantile } from '../measure.ts'

const [, , name = '', address = ''] = process.argv
const total = 3000
const perBurst = 5
const burstMs = 5

const socket = createSocket('udp4')
const asked = new Map<number, number>()
const took: number[] = []
const { promise: done, resolve } = Promise.withResolvers<void>()
socket.on('message', (message) => {
  const { id, answers } = decode(message)
  const began = asked.get(id ?? -1)
  const [first] = answers ?? []
  if (began === undefined || first?.type !== 'A' || first.data !== address) return
  took.push(performance.now() - began)
  asked.delete(id ?? -1)
  if (took.length === total) resolve()
})
socket.connect(53, '127.0.0.11')
await new Promise((connected) => socket.once('connect', connected))
for (let id = 0; id < total; ) {
  for (let i = 0; i < perBurst; i += 1, id += 1) {
    asked.set(id, performance.now())
    socket.send(encode({ type: 'query', id, flags: 0x100, questions: [{ type: 'A', name }] }))
  }
  await sleep(burstMs)
}
await Promise.race([done, sleep(5000)])
socket.close()
process.stdout.write(JSON.stringify({ p50: quantile(took, 0.5), p99: quantile(took, 0.99), lost: total - took.length }))
