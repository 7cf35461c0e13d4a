import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'
import { connectionsOf } from './connections.ts'
import { Terminal } from './terminal.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

const ctrl = { c: '\x03', p: '\x10', q: '\x11', a: '\x01' }

/** The container's terminal follows the client's, a moment later. */
async function sizeBecomes(terminal: Terminal, size: string): Promise<void> {
  terminal.type(`until [ "$(stty size)" = "${size}" ]; do :; done; echo it is "$(stty size)"\r`)
  await terminal.see(`it is ${size}`)
}

test('run -it has the size of the terminal it is typed at, follows its changes, and ends with the code of the shell', async () => {
  await using terminal = await Terminal.docker(daemon, 'run', '-it', '--rm', '--network', 'none', busybox, 'sh')
  await terminal.see('# ')
  await sizeBecomes(terminal, '30 100')
  await terminal.resize(40, 120)
  await sizeBecomes(terminal, '40 120')
  terminal.type('tty; exit 3\r')
  await terminal.see('/dev/pts/0')
  expect(await terminal.exit()).toBe(3)
})

test('a terminal may be left by ctrl-p ctrl-q and come back to, and the process notices neither', async () => {
  const name = 'left'
  await using first = await Terminal.docker(daemon, 'run', '-it', '--name', name, '--network', 'none', busybox, 'sh')
  await first.see('# ')
  first.type('kept=treasure\r')
  await first.see('# ')
  first.type(ctrl.p + ctrl.q)
  expect(await first.exit()).toBe(0)

  await using second = await Terminal.docker(daemon, 'attach', name)
  second.type('echo my $kept\r')
  await second.see('my treasure')
  second.type(ctrl.p + ctrl.q)
  await second.see('read escape sequence')
  await second.exit()

  await using third = await Terminal.docker(daemon, 'attach', '--detach-keys', 'ctrl-a,x', name)
  third.type(`echo not ${ctrl.p}${ctrl.q} left\r`)
  await third.see('left\r\n')
  third.type(`${ctrl.a}x`)
  await third.see('read escape sequence')

  await using last = await Terminal.docker(daemon, 'attach', name)
  last.type('exit 4\r')
  expect(await last.exit()).toBe(4)
  expect((await daemon.docker('wait', name)).stdout).toBe('4\n')
})

test('exec -it has a terminal of its own, of the size of the client', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  await using terminal = await Terminal.docker(daemon, 'exec', '-it', id, 'sh')
  await terminal.see('# ')
  await sizeBecomes(terminal, '30 100')
  await terminal.resize(50, 90)
  await sizeBecomes(terminal, '50 90')
  // The shell has its terminal in raw mode until it runs the line: what it prints tells that it does.
  terminal.type('echo now$((1)); sleep 1000\r')
  await terminal.see('now1')
  terminal.type(ctrl.c)
  await terminal.see('# ')
  terminal.type('exit 5\r')
  expect(await terminal.exit()).toBe(5)
})

test('start -ai joins the new life of a terminal', async () => {
  const { stdout } = await daemon.docker('create', '-it', '--network', 'none', busybox, 'sh')
  const id = stdout.trim()
  for (const code of [6, 7]) {
    await using terminal = await Terminal.docker(daemon, 'start', '-ai', id)
    await terminal.see('# ')
    terminal.type(`exit ${code}\r`)
    expect(await terminal.exit()).toBe(code)
  }
})

test('a terminal whose client dies leaves the container running, and no connection behind', async () => {
  const name = 'abandoned'
  await daemon.docker('create', '-it', '--name', name, '--network', 'none', busybox, 'sh')
  await daemon.docker('start', name)
  {
    await using terminal = await Terminal.docker(daemon, 'attach', name)
    terminal.type('echo he$((1))re\r')
    await terminal.see('he1re')
    // The kernel's list may miss an entry while others come and go.
    await waitFor('the connection is listed', () => connectionsOf(daemon) > 0)
  }
  await waitFor('the connections of the dead client are closed', () => connectionsOf(daemon) === 0)
  await using again = await Terminal.docker(daemon, 'attach', name)
  again.type('exit\r')
  expect(await again.exit()).toBe(0)
})
