import type { Socket } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

const clients = 200

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const remove = (id: string) => daemon.request('DELETE', `/containers/${id}?force=1`)

/** Bytes of a hijacked connection, as they come. */
function collect(socket: Socket): { text(): string; readonly ended: Promise<void> } {
  const parts: Buffer[] = []
  const ended = (async () => {
    for await (const part of socket) parts.push(part as Buffer)
  })()
  return { text: () => Buffer.concat(parts).toString(), ended }
}

test('two hundred clients are attached to one container, each sees all, and each can write', async () => {
  const script = 'echo begin; while read line; do echo "got $line"; done; echo end'
  const id = await daemon.runDetached('--network', 'none', '-i', '-t', busybox, 'sh', '-c', `stty -echo; ${script}`)
  const sockets = await Promise.all(
    Array.from({ length: clients }, () => daemon.hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1&logs=1`)),
  )
  const seen = sockets.map(collect)
  sockets[7]?.write('from seven\n')
  sockets[199]?.write('from the last\n')
  await waitFor('all have seen both lines', () =>
    seen.every(({ text }) => text().includes('got from seven') && text().includes('got from the last')),
  )
  sockets[0]?.write('\x04')
  await Promise.all(seen.map(({ ended }) => ended))
  expect(seen.filter(({ text }) => !text().endsWith('end\r\n'))).toEqual([])
  await remove(id)
})

test('a client that does not read stops neither the container, nor the others, nor the daemon', async () => {
  const lines = 200_000
  const script = `sleep 0.5; i=0; while [ $i -lt 200 ]; do seq 1 1000; i=$((i+1)); done; echo done >&2`
  const id = await daemon.runDetached('--network', 'none', busybox, 'sh', '-c', script)
  const stuck = await daemon.hijack(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`)
  stuck.pause()
  const log = await daemon.open('GET', `/containers/${id}/logs?follow=1&stdout=1`)
  log.pause()
  const answers = await Promise.all(Array.from({ length: 20 }, () => daemon.request('GET', '/_ping')))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  await waitFor(
    'the container has written everything and ended',
    async () => {
      const { State } = await daemon.json('GET', `/containers/${id}/json`)
      return (State as { Status: string }).Status === 'exited'
    },
    { timeoutMs: 60_000 },
  )
  stuck.destroy()
  log.destroy()
  const written = (await daemon.docker('logs', id)).stdout
  expect(written.split('\n').length - 1).toBe(lines)
  await remove(id)
})

test('half-closed connections end the input alone', async () => {
  const { Id } = await daemon.json('POST', '/containers/create', {
    Image: busybox,
    Cmd: ['sh', '-c', 'cat; sleep 0.3; echo after the end'],
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    HostConfig: { NetworkMode: 'none' },
  })
  const socket = await daemon.hijack(`/containers/${Id}/attach?stream=1&stdin=1&stdout=1`)
  const seen = collect(socket)
  await daemon.request('POST', `/containers/${Id}/start`)
  socket.end('the input\n')
  await seen.ended
  expect(seen.text()).toContain('the input\n')
  expect(seen.text()).toContain('after the end\n')
  await remove(String(Id))
})
