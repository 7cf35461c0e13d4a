import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'
import { openTerminal, type Terminal } from '../../support/terminal.ts'
import { waitFor } from '../../support/wait-for.ts'
import { connectionsOf } from './connections.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

const ctrl = { c: '\x03', p: '\x10', q: '\x11', a: '\x01' }

/** Runs `docker …` on a terminal of 30 rows and 100 columns. */
function dockerTerminal(...args: readonly string[]): Promise<Terminal> {
  const env = { ...process.env, DOCKER_HOST: daemon.host, DOCKER_CONFIG: daemon.directory, TERM: 'dumb' }
  return openTerminal([dockerCli(), ...args], { env, rows: 30, columns: 100 })
}

/** The container's terminal follows the client's, a moment later. */
async function sizeBecomes(terminal: Terminal, size: string): Promise<void> {
  terminal.write(`until [ "$(stty size)" = "${size}" ]; do :; done; echo it is "$(stty size)"\r`)
  await terminal.until(`it is ${size}`)
}

test('run -it has the size of the terminal it is typed at, follows its changes, and ends with the code of the shell', async () => {
  await using terminal = await dockerTerminal('run', '-it', '--rm', '--network', 'none', busybox, 'sh')
  await terminal.until('# ')
  await sizeBecomes(terminal, '30 100')
  await terminal.resize(40, 120)
  await sizeBecomes(terminal, '40 120')
  terminal.write('tty; exit 3\r')
  await terminal.until('/dev/pts/0')
  expect(await terminal.end()).toMatchObject({ status: 3 })
})

test('a terminal may be left by ctrl-p ctrl-q and come back to, and the process notices neither', async () => {
  const name = 'left'
  await using first = await dockerTerminal('run', '-it', '--name', name, '--network', 'none', busybox, 'sh')
  await first.until('# ')
  first.write('kept=treasure\r')
  await first.until('# ')
  first.write(ctrl.p + ctrl.q)
  expect(await first.end()).toMatchObject({ status: 0 })

  await using second = await dockerTerminal('attach', name)
  second.write('echo my $kept\r')
  await second.until('my treasure')
  second.write(ctrl.p + ctrl.q)
  await second.until('read escape sequence')
  await second.end()

  await using third = await dockerTerminal('attach', '--detach-keys', 'ctrl-a,x', name)
  third.write(`echo not ${ctrl.p}${ctrl.q} left\r`)
  await third.until('left\r\n')
  third.write(`${ctrl.a}x`)
  await third.until('read escape sequence')

  await using last = await dockerTerminal('attach', name)
  last.write('exit 4\r')
  expect(await last.end()).toMatchObject({ status: 4 })
  expect((await daemon.docker('wait', name)).stdout).toBe('4\n')
})

test('exec -it has a terminal of its own, of the size of the client', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  await using terminal = await dockerTerminal('exec', '-it', id, 'sh')
  await terminal.until('# ')
  await sizeBecomes(terminal, '30 100')
  await terminal.resize(50, 90)
  await sizeBecomes(terminal, '50 90')
  // The shell has its terminal in raw mode until it runs the line: what it prints tells that it does.
  terminal.write('echo now$((1)); sleep 1000\r')
  await terminal.until('now1')
  terminal.write(ctrl.c)
  await terminal.until('# ')
  terminal.write('exit 5\r')
  expect(await terminal.end()).toMatchObject({ status: 5 })
})

test('start -ai joins the new life of a terminal', async () => {
  const { stdout } = await daemon.docker('create', '-it', '--network', 'none', busybox, 'sh')
  const id = stdout.trim()
  for (const code of [6, 7]) {
    await using terminal = await dockerTerminal('start', '-ai', id)
    await terminal.until('# ')
    terminal.write(`exit ${code}\r`)
    expect(await terminal.end()).toMatchObject({ status: code })
  }
})

test('a terminal whose client dies leaves the container running, and no connection behind', async () => {
  const name = 'abandoned'
  await daemon.docker('create', '-it', '--name', name, '--network', 'none', busybox, 'sh')
  await daemon.docker('start', name)
  {
    await using terminal = await dockerTerminal('attach', name)
    terminal.write('echo he$((1))re\r')
    await terminal.until('he1re')
    // The kernel's list may miss an entry while others come and go.
    await waitFor('the connection is listed', () => connectionsOf(daemon) > 0)
  }
  await waitFor('the connections of the dead client are closed', () => connectionsOf(daemon) === 0)
  await using again = await dockerTerminal('attach', name)
  again.write('exit\r')
  expect(await again.end()).toMatchObject({ status: 0 })
})
