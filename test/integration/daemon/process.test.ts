import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, expect, test } from 'vitest'
import { type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon({ withImage: false, args: [] })
  return () => daemon[Symbol.asyncDispose]()
})

const program = join(import.meta.dirname, '../../../src/main.ts')

/** A daemon that is expected to end by itself. */
function fail(...flags: readonly string[]): Promise<CommandResult> {
  const roots = ['--data-root', join(daemon.directory, 'other'), '--exec-root', join(daemon.directory, 'other-exec')]
  return daemon.run([...daemon.enter, process.execPath, program, 'daemon', ...roots, ...flags])
}

test('the socket belongs to its group and nobody else', async () => {
  const { mode } = await stat(daemon.socket)
  expect(mode & 0o777).toBe(0o660)
  expect((await stat(daemon.dataRoot)).mode & 0o777).toBe(0o700)
  // The default socket is in the exec root, where its group must get to it.
  expect((await stat(daemon.execRoot)).mode & 0o777).toBe(0o711)
  expect((await stat(join(daemon.execRoot, 'shims'))).mode & 0o777).toBe(0o700)
})

test('help names every flag and ends well', async () => {
  const { code, stdout } = await fail('--help')
  expect(code).toBe(0)
  for (const flag of [
    '--data-root',
    '--exec-root',
    '--host',
    '--pidfile',
    '--config-file',
    '--log-level',
    '--log-format',
  ])
    expect(stdout).toContain(flag)
  for (const flag of ['--debug', '--insecure-registry', '--registry-mirror', '--bip', '--mtu'])
    expect(stdout).toContain(flag)
})

test('what cannot be configured is said in one sentence', async () => {
  const file = join(daemon.directory, 'daemon.json')
  const longHost = `unix://${join(daemon.directory, 'x'.repeat(100))}`
  await writeFile(file, JSON.stringify({ mtu: 1400, hosts: [daemon.host] }))
  for (const [flags, text] of [
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['-H', 'tcp://127.0.0.1:2375'], 'tcp://127.0.0.1:2375 is refused'],
    [['-H', 'tcp://127.0.0.1:2375', '--tlsverify'], 'invalid TLS configuration: give --tlscert'],
    [['-H', 'tcp://127.0.0.1:x', '--tls=false'], 'invalid host tcp://127.0.0.1:x'],
    [['--log-level', 'loud'], 'invalid log level: loud'],
    [['--mtu', 'big'], 'invalid MTU: big'],
    [['--data-root', 'here'], 'here is not an absolute path'],
    [['--exec-root', 'here'], 'here is not an absolute path'],
    [['-H', longHost], 'is longer than the 107 bytes of a socket address'],
    [['--config-file', '/no/such/file'], 'unable to configure the daemon with file /no/such/file'],
    [['--config-file', file, '--mtu', '1500'], 'mtu: (from flag --mtu: 1500, from file: 1400)'],
    [['-H', daemon.host], `cannot listen on ${daemon.socket}: another daemon is listening there`],
  ] as const) {
    const { code, stderr } = await fail(...flags)
    expect(code).toBe(1)
    expect(stderr).toContain(text)
    expect(stderr).not.toContain('    at ')
  }
  await expect(stat('here')).rejects.toThrow('ENOENT')
})

test('a pid file is written, believed and removed', async () => {
  const pidfile = join(daemon.directory, 'berth.pid')
  await writeFile(pidfile, `${process.pid}\n`)
  expect((await fail('-p', pidfile, '-H', `${daemon.host}2`)).stderr).toContain(
    `process with PID ${process.pid} is still running`,
  )
  expect(await readFile(pidfile, 'utf8')).toBe(`${process.pid}\n`)
})

test('a pid file older than the process of its number is left from an earlier daemon', async () => {
  await using directory = await tempDirectory()
  const pidfile = join(directory.path, 'berth.pid')
  await writeFile(pidfile, `${process.pid}\n`)
  await utimes(pidfile, 0, 0)
  await using own = await startDaemon({ withImage: false, args: ['-p', pidfile] })
  expect(await readFile(pidfile, 'utf8')).toBe(`${own.pid}\n`)
})

test('stopping is quick, leaves no socket, and exits with 0', async () => {
  expect(await daemon.stop()).toBe(0)
  await expect(stat(daemon.socket)).rejects.toThrow('ENOENT')
  await daemon.start()
})

test('a database of a newer version is refused and stays as it is', async () => {
  await daemon.stop()
  const path = join(daemon.dataRoot, 'state.db')
  const version = (value: number) => {
    using database = new DatabaseSync(path)
    const before = Number(database.prepare('PRAGMA user_version').get()?.user_version)
    database.exec(`PRAGMA user_version = ${value}`)
    return before
  }
  const ours = version(1000)
  await expect(daemon.start()).rejects.toThrow(/schema version 1000/)
  expect(version(ours)).toBe(1000)
  await daemon.start()
})
