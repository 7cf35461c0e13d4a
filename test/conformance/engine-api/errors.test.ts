import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

/** What dockerd 28.5 answered, with ids as `ID` and short ids as `SHORT`; `c1` runs, `c2` is created, both of busybox. */
interface Recorded {
  readonly request: string
  /** As it was sent, not always JSON. */
  readonly body?: string
  readonly status: number
  readonly message: string
}

const path = join(import.meta.dirname, '../../golden/engine-api/dockerd-28.5-errors.jsonl')
const recorded = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Recorded)

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  await daemon.runDetached('--name', 'c1', '--network', 'none', busybox, 'sleep', '1000')
  await daemon.docker('create', '--name', 'c2', '--network', 'none', busybox)
})
afterAll(() => daemon[Symbol.asyncDispose]())

test.each(recorded)('$request $body is refused as by dockerd', async ({ request, body, status, message }) => {
  const answer = await send(request, body)
  // A wrong value is the client's fault: where dockerd says 500, we keep its words and say 400.
  const wanted = status === 500 ? [400, 500] : [status]
  expect(withoutIds(answer.message)).toBe(message)
  expect(wanted).toContain(answer.status)
})

function withoutIds(text: string): string {
  return text.replaceAll(/[0-9a-f]{64}/g, 'ID').replaceAll(/\b[0-9a-f]{12}\b/g, 'SHORT')
}

/** Over a bare socket: bodies that are no JSON, and no header that a client library adds. */
async function send(request: string, body: string | undefined): Promise<{ status: number; message: string }> {
  const [method, target = ''] = request.split(' ')
  const escaped = encodeURI(target).replaceAll('%25', '%')
  const type = body === undefined ? '' : 'Content-Type: application/json\r\n'
  const socket = connect({ path: daemon.socket })
  socket.write(
    `${method} ${escaped} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${type}Content-Length: ${Buffer.byteLength(body ?? '')}\r\n\r\n${body ?? ''}`,
  )
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const end = text.indexOf('\r\n\r\n')
  const answered = text.slice(end + 4)
  const isStream = text.slice(0, end).includes('application/vnd.docker.raw-stream')
  const message = isStream ? answered.replace(/\r\n$/, '') : (JSON.parse(answered) as { message: string }).message
  return { status: Number(text.split(' ')[1]), message }
}
