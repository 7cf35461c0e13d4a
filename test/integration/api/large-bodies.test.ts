import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { operations } from '../../soak/api/operations.ts'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

const mebibyte = 1 << 20
const sentMebibytes = 64

let daemon: TestDaemon
let ids: Readonly<Record<string, string>>
beforeAll(async () => {
  daemon = await startDaemon()
  const container = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const exec = await daemon.json('POST', `/containers/${container}/exec`, { Cmd: ['true'] })
  ids = { containers: container, exec: String(exec.Id), networks: 'bridge' }
})
afterAll(() => daemon[Symbol.asyncDispose]())

const taking = operations.filter(({ body }) => body !== undefined)
const cases = taking.flatMap(({ key, method, template }) =>
  (['told', 'in chunks'] as const).map((framing) => ({ key, method, template, framing })),
)

test.each(cases)(
  '$key refuses a body of 64 MiB, $framing, and keeps none of it',
  async ({ method, template, framing }) => {
    const before = peakBytes()
    const path = template.replace(/^\/(\w+)\/\{id\}/, (_, kind: string) => `/${kind}/${ids[kind]}`)
    const { status, body } = await sendMuch(`${method} ${path}`, framing)
    expect([status, JSON.parse(body)]).toEqual([413, { message: 'the request body is larger than 16777216 bytes' }])
    expect(peakBytes() - before).toBeLessThan(sentMebibytes * mebibyte)
  },
)

/** The most memory that the daemon has ever had. */
function peakBytes(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) * 1024
}

/** A JSON text of 64 MiB, sent until the answer is there. */
async function sendMuch(request: string, framing: 'told' | 'in chunks'): Promise<{ status: number; body: string }> {
  const socket = connect({ path: daemon.socket })
  let answer = ''
  const answered = Promise.withResolvers<void>()
  socket.on('data', (bytes) => {
    answer += String(bytes)
    if (/\r\n\r\n.*\n$/s.test(answer)) answered.resolve()
  })
  socket.on('close', () => answered.resolve())
  // The daemon need not read on when it has answered.
  socket.on('error', () => answered.resolve())
  const length = framing === 'told' ? `Content-Length: ${sentMebibytes * mebibyte}` : 'Transfer-Encoding: chunked'
  socket.write(`${request} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${length}\r\n\r\n`)
  for (let at = 0; at < sentMebibytes && answer === '' && !socket.destroyed; at += 1) {
    const piece = Buffer.alloc(mebibyte, 'x')
    if (at === 0) piece.write('{"a":"')
    const isThrough = socket.write(framing === 'told' ? piece : chunkOf(piece))
    if (!isThrough) await Promise.race([once(socket, 'drain').catch(() => undefined), answered.promise])
  }
  await answered.promise
  socket.destroy()
  return { status: Number(answer.split(' ')[1]), body: answer.slice(answer.indexOf('\r\n\r\n')) }
}

function chunkOf(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
}
