import { createServer, connect as dial } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
let base: string
beforeAll(async () => {
  daemon = await startDaemon()
  // Node's own client speaks TCP only.
  const door = createServer({ allowHalfOpen: true }, (socket) => {
    const inside = dial({ path: daemon.socket, allowHalfOpen: true })
    socket.on('error', () => inside.destroy())
    inside.on('error', () => socket.destroy())
    socket.pipe(inside).pipe(socket)
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  const address = door.address()
  base = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  return async () => {
    await daemon[Symbol.asyncDispose]()
    door.close()
  }
})

interface Client {
  readonly socket: WebSocket
  text(): string
  /** The code of the close. */
  readonly closed: Promise<number>
}

async function open(path: string): Promise<Client> {
  const socket = new WebSocket(`ws://${base}${path}`)
  socket.binaryType = 'arraybuffer'
  const parts: Buffer[] = []
  socket.addEventListener('message', ({ data }) => {
    parts.push(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data as ArrayBuffer))
  })
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  return { socket, text: () => Buffer.concat(parts).toString(), closed }
}

const run = (...args: string[]) => daemon.runDetached('--network', 'none', ...args)
const remove = (id: string) => daemon.request('DELETE', `/containers/${id}?force=1`)
const all = 'stream=1&stdin=1&stdout=1&stderr=1'

test('both directions work, and the end of the container closes the socket in order', async () => {
  const script = 'while read line; do [ "$line" = end ] && exit 3; echo "got $line"; echo "err $line" >&2; done'
  const id = await run('-i', busybox, 'sh', '-c', script)
  const { socket, text, closed } = await open(`/containers/${id}/attach/ws?${all}`)
  socket.send('one\n')
  socket.send(Buffer.from('two\n'))
  await waitFor('both answers', () => text().includes('got two') && text().includes('err one'))
  const long = 'x'.repeat(70_000)
  socket.send(`${long}\n`)
  await waitFor('the long answer', () => text().includes(`got ${long}\n`))
  socket.send('end\n')
  expect(await closed).toBe(1000)
  await remove(id)
})

test('a client that closes leaves the container running, and another one may come', async () => {
  const id = await run('-i', '-t', busybox, 'cat')
  const first = await open(`/v1.51/containers/${id}/attach/ws?${all}`)
  first.socket.send('first\n')
  await waitFor('the echo', () => first.text().includes('first'))
  first.socket.close()
  await first.closed
  const second = await open(`/v1.41/containers/${id}/attach/ws?stream=1`)
  second.socket.send('second\n')
  await waitFor('the echo', () => second.text().includes('second'))
  expect(((await daemon.json('GET', `/containers/${id}/json`)).State as { Status: string }).Status).toBe('running')
  second.socket.send('\x10\x11')
  await second.closed
  expect(((await daemon.json('GET', `/containers/${id}/json`)).State as { Status: string }).Status).toBe('running')
  await remove(id)
})

test('what was written before is shown when it is asked for', async () => {
  const id = await run(busybox, 'echo', 'from the log')
  await daemon.docker('wait', id)
  const { text, closed } = await open(`/containers/${id}/attach/ws?logs=1&stdout=1`)
  await closed
  expect(text()).toBe('from the log\n')
  await remove(id)
})

test('what is no handshake, and what is not there, are refused over HTTP', async () => {
  const id = await run(busybox, 'sleep', '1000')
  const plain = await daemon.request('GET', `/containers/${id}/attach/ws?${all}`)
  expect(plain.status).toBe(400)
  const unknown = await daemon.request('GET', `/containers/nobody/attach/ws?${all}`)
  expect([unknown.status, unknown.body]).toEqual([404, '{"message":"No such container: nobody"}\n'])
  await expect(open(`/containers/nobody/attach/ws?${all}`)).rejects.toBeDefined()
  await remove(id)
})
