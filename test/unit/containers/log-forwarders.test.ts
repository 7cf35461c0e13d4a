import { once } from 'node:events'
import { appendFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { silentLogger as log } from '#base/log.ts'
import { formatNanos } from '#base/timestamp.ts'
import { openBackground } from '#containers/background.ts'
import type { Container } from '#containers/container.ts'
import type { ContainerPaths } from '#containers/container-paths.ts'
import { LogForwarders } from '#containers/logs/forwarders.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { waitFor } from '#test/support/wait-for.ts'

const runs = 300

test('what short runs write, one right after the other, is all sent', async () => {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDirectory('berth-forwarders-'))
  let received = ''
  const collector = createServer((socket) => {
    socket.on('data', (chunk) => {
      received += String(chunk)
    })
  })
  const socket = join(path, 'collector')
  await once(collector.listen(socket), 'listening')
  stack.defer(() => void collector.close())

  const background = openBackground(log)
  stack.defer(() => background.stop())
  const file = join(path, 'x-json.log')
  const paths = { log: () => file, logPosition: () => join(path, 'log-position') } as unknown as ContainerPaths
  const unused = { connectDatagram: () => -1, send: () => undefined, close: () => undefined }
  const forwarders = new LogForwarders({ clock: systemClock, log, paths, background, sockets: unused })
  const container = {
    ...{ id: 'ab'.repeat(32), name: 'short', imageId: 'sha256:x', createdAt: 0n, path: 'true', args: [] },
    config: { image: 'app:1', labels: {}, env: [] },
    host: { logConfig: { driver: 'syslog', options: { 'syslog-address': `unix://${socket}` } } },
  } as unknown as Container
  for (let run = 1; run <= runs; run += 1) {
    forwarders.begin(container, { isOver: false })
    const record = { log: `run ${run}.\n`, stream: 'stdout', time: formatNanos(systemClock.nowNanos()) }
    await appendFile(file, `${JSON.stringify(record)}\n`)
    forwarders.end(container.id)
    // Runs follow each other at every moment of the sending.
    await new Promise((resolve) => setTimeout(resolve, run % 4))
  }
  const missing = () => Array.from({ length: runs }, (_, n) => n + 1).filter((n) => !received.includes(`run ${n}.`))
  await waitFor('all runs are sent', () => missing().length === 0)
  expect(missing()).toEqual([])
})
