import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { Transcript } from '../../support/transcript.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

async function create(options: Record<string, unknown>): Promise<string> {
  const HostConfig = { NetworkMode: 'none' }
  return String((await daemon.json('POST', '/containers/create', { Image: busybox, HostConfig, ...options })).Id)
}
const start = async (id: string) => expect((await daemon.request('POST', `/containers/${id}/start`)).status).toBe(204)
const remove = async (id: string) =>
  expect((await daemon.request('DELETE', `/containers/${id}?force=1`)).status).toBe(204)
const all = 'stream=1&stdin=1&stdout=1&stderr=1'

test('who attaches before the start misses nothing, also of a container that ends at once', async () => {
  const id = await create({ Cmd: ['echo', 'first and last'] })
  const said = new Transcript(await daemon.hijack(`/containers/${id}/attach?${all}`))
  await start(id)
  await said.ended
  expect(said.text).toContain('first and last\n')
  await remove(id)
})

test('ending the input is not leaving: output still comes', async () => {
  const id = await create({ Cmd: ['sh', '-c', 'cat; echo after'], OpenStdin: true, StdinOnce: true })
  const socket = await daemon.hijack(`/containers/${id}/attach?${all}`)
  const said = new Transcript(socket)
  await start(id)
  socket.end('input\n')
  await said.ended
  expect(said.text).toMatch(/input\n[\s\S]*after\n/)
  await remove(id)
})

test('two clients of a terminal see the same, and one of them may leave by the detach keys', async () => {
  const id = await create({ Cmd: ['sh'], Tty: true, OpenStdin: true })
  await start(id)
  const first = await daemon.hijack(`/containers/${id}/attach?${all}&detachKeys=ctrl-x,x`)
  const second = await daemon.hijack(`/containers/${id}/attach?${all}`)
  const [seenByFirst, seenBySecond] = [new Transcript(first), new Transcript(second)]
  second.write('echo to$((1+1))both\n')
  await Promise.all([seenByFirst.until('to2both'), seenBySecond.until('to2both')])
  first.write('\x18x')
  await seenByFirst.ended
  second.write('echo still $((40+2))\n')
  await seenBySecond.until('still 42')
  expect(seenByFirst.text).not.toContain('still 42')
  second.destroy()
  expect((await daemon.json('GET', `/containers/${id}/json`)).State).toMatchObject({ Running: true })
  await remove(id)
})

test('a terminal has the size that it was given', async () => {
  const id = await create({ Cmd: ['sh'], Tty: true, OpenStdin: true })
  const socket = await daemon.hijack(`/containers/${id}/attach?${all}`)
  const said = new Transcript(socket)
  await start(id)
  expect((await daemon.request('POST', `/containers/${id}/resize?h=33&w=99`)).status).toBe(200)
  socket.write('stty size\n')
  await said.until('33 99')
  socket.destroy()
  await remove(id)
})

test('attaching with logs shows what was said before', async () => {
  const id = await create({ Cmd: ['sh', '-c', 'echo earlier; cat'], OpenStdin: true })
  await start(id)
  await waitFor('it has spoken', async () => (await daemon.docker('logs', id)).stdout === 'earlier\n')
  const socket = await daemon.hijack(`/containers/${id}/attach?${all}&logs=1`)
  const said = new Transcript(socket)
  await said.until('earlier')
  socket.write('later\n')
  await said.until('later')
  socket.destroy()
  await remove(id)
})

test('attaching to a paused container is refused', async () => {
  const id = await create({ Cmd: ['sleep', '1000'] })
  await start(id)
  await daemon.docker('pause', id)
  await expect(daemon.hijack(`/containers/${id}/attach?${all}`)).rejects.toThrow('409')
  await remove(id)
})

test('logs: both streams, the last lines, and only what is new', async () => {
  const id = await create({
    Cmd: ['sh', '-c', 'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; usleep 20000; done'],
  })
  await start(id)
  await daemon.docker('wait', id)
  const both = await daemon.docker('logs', id)
  expect(both.stdout).toBe('out 1\nout 2\nout 3\nout 4\nout 5\n')
  expect(both.stderr).toBe('err 1\nerr 2\nerr 3\nerr 4\nerr 5\n')
  const { stdout: stamped } = await daemon.docker('logs', '-t', id)
  const third = stamped.split('\n')[2]?.split(' ')[0] ?? ''
  expect((await daemon.docker('logs', '--since', third, id)).stdout).toBe('out 3\nout 4\nout 5\n')
  expect((await daemon.docker('logs', '--until', third, id)).stdout).toBe('out 1\nout 2\nout 3\n')
  const last = await daemon.docker('logs', '--tail', '2', id)
  expect(last.stdout + last.stderr).toHaveLength('out 5\nerr 5\n'.length)
  expect((await daemon.docker('logs', '-f', id)).stdout).toBe(both.stdout)
  expect((await daemon.request('GET', `/containers/${id}/logs`)).status).toBe(400)
  await remove(id)
})

test('following a log across rotations loses nothing and ends with the container', async () => {
  const script = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done; usleep 200000; echo end'
  const LogConfig = { Type: 'json-file', Config: { 'max-size': '50k', 'max-file': '20' } }
  const id = await create({
    Cmd: ['sh', '-c', `usleep 300000; ${script}`],
    HostConfig: { NetworkMode: 'none', LogConfig },
  })
  await start(id)
  const { stdout } = await daemon.docker('logs', '-f', id)
  expect(stdout.split('\n').filter(Boolean)).toEqual([...Array.from({ length: 3000 }, (_, n) => `${n + 1}`), 'end'])
  expect((await daemon.docker('logs', id)).stdout).toBe(stdout)
  await remove(id)
})

test('a container without a log can be attached to, and says that its log cannot be read', async () => {
  const LogConfig = { Type: 'none', Config: {} }
  const id = await create({ Cmd: ['echo', 'unlogged'], HostConfig: { NetworkMode: 'none', LogConfig } })
  const said = new Transcript(await daemon.hijack(`/containers/${id}/attach?${all}`))
  await start(id)
  await said.ended
  expect(said.text).toContain('unlogged')
  const answer = await daemon.request('GET', `/containers/${id}/logs?stdout=1`)
  expect(answer.body).toContain('configured logging driver does not support reading')
  await remove(id)
})
