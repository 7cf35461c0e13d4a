import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { buildImage, busyboxLayer } from '../../support/base-image.ts'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { tar } from '../../support/tar.ts'
import { openTerminal } from '../../support/terminal.ts'
import { type Berth, berthCommand, berthFor } from './client.ts'

let daemon: TestDaemon
let berth: Berth
beforeAll(async () => {
  daemon = await startDaemon()
  berth = berthFor(daemon)
  return () => daemon[Symbol.asyncDispose]()
})

const detach = '\x10\x11'

test("the container has our terminal's size, and follows it", async () => {
  await using terminal = await berth.onTerminal('run', '-it', '--rm', '--network', 'none', busybox, 'sh')
  await terminal.until('# ')
  terminal.write('stty size\r')
  await terminal.until('30 100\r\n')
  terminal.write('while sleep 0.1; do stty size; done\r')
  await terminal.until('30 100\r\n')
  await terminal.resize(41, 121)
  await terminal.until('41 121\r\n')
  terminal.write('\x03')
  await terminal.until('# ')
  terminal.write('exit 7\r')
  expect(await terminal.end()).toMatchObject({ status: 7 })
})

test('what the container writes reaches the terminal as it is', async () => {
  const script = 'stty -opost; printf "a\\nb"'
  await using terminal = await berth.onTerminal('run', '-it', '--rm', '--network', 'none', busybox, 'sh', '-c', script)
  expect(await terminal.end()).toEqual({ status: 0, rest: 'a\nb' })
})

test('detach keys leave the container running, and attach comes back to it', async () => {
  await using first = await berth.onTerminal('run', '-it', '--name', 'kept', '--network', 'none', busybox, 'sh')
  await first.until('# ')
  first.write(detach)
  expect(await first.end()).toMatchObject({ status: 0 })

  await using second = await berth.onTerminal('attach', '--detach-keys', 'ctrl-x,a', 'kept')
  second.write('echo still he""re\r')
  await second.until('still here\r\n')
  second.write('\x18a')
  const detached = await second.end()
  expect(detached.status).toBe(1)
  expect(detached.rest).toContain('read escape sequence\r\n')

  await using third = await berth.onTerminal('attach', 'kept')
  third.write('exit 9\r')
  expect(await third.end()).toMatchObject({ status: 9 })
  expect((await berth('rm', 'kept')).code).toBe(0)
})

test('start -ai runs a stopped container again on our terminal', async () => {
  await berth('create', '-it', '--name', 'again', '--network', 'none', busybox, 'sh')
  await using terminal = await berth.onTerminal('start', '-ai', 'again')
  await terminal.until('# ')
  terminal.write('exit 4\r')
  expect(await terminal.end()).toMatchObject({ status: 4 })
  await berth('rm', 'again')
})

test('exec has a terminal of its own', async () => {
  await berth('run', '-d', '--name', 'host', '--network', 'none', busybox, 'sleep', '60')
  await using terminal = await berth.onTerminal('exec', '-it', 'host', 'sh')
  await terminal.until('# ')
  terminal.write('stty size; tty\r')
  await terminal.until('30 100\r\n/dev/pts/')
  terminal.write('exit 5\r')
  expect(await terminal.end()).toMatchObject({ status: 5 })
  await berth('rm', '-f', 'host')
})

test('pull shows every layer and the whole, and leaves what docker leaves', async () => {
  const storage = join(daemon.directory, 'terminal-registry')
  await seedRegistry(storage, {
    'bars:latest': buildImage({ layers: [busyboxLayer(), tar([{ name: 'new', content: 'x' }])] }),
  })
  await using registry = await startRegistry({ storage, enter: daemon.enter })
  await using terminal = await berth.onTerminal('pull', `${registry.host}/bars`)
  await terminal.until('Using default tag: latest\r\n')
  await terminal.until('latest: Pulling from bars\r\n')
  await terminal.until('Total: ')
  const { status, rest } = await terminal.end()
  expect(status).toBe(0)
  const closing = new RegExp(
    `Digest: sha256:[0-9a-f]{64}\r\nStatus: [^\r]+ for ${registry.host}/bars:latest\r\n${registry.host}/bars:latest\r\n$`,
  )
  expect(rest).toMatch(closing)
  expect(rest.slice(rest.lastIndexOf('\x1b[J'))).not.toContain('Total:')
})

test('lines are whole on a terminal that does not know its size', async () => {
  const storage = join(daemon.directory, 'sizeless-registry')
  await seedRegistry(storage, { 'whole:latest': buildImage({ layers: [tar([{ name: 'whole', content: 'x' }])] }) })
  await using registry = await startRegistry({ storage, enter: daemon.enter })
  const env = { ...process.env, BERTH_HOST: daemon.host, DOCKER_CONFIG: daemon.directory, TERM: 'xterm' }
  const command = [...berthCommand, 'pull', `${registry.host}/whole`]
  await using terminal = await openTerminal(command, { env, rows: 0, columns: 0 })
  await terminal.until('Pull complete\r\n')
  await terminal.until('Total: 1/1 layers, ')
  await terminal.until('B downloaded\r\n')
  expect((await terminal.end()).status).toBe(0)
})

test('a pull that fails says why', async () => {
  await using terminal = await berth.onTerminal('pull', 'nowhere.invalid/x')
  const { status, rest } = await terminal.end()
  expect(status).toBe(1)
  expect(rest).toContain('Using default tag: latest\r\nError response from daemon: ')
})
