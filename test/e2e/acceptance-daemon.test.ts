import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon } from '../support/daemon.ts'
import { binary } from './packaged.ts'

test('the packaged daemon does as its flags and its file say', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-flags-'))
  const [file, pidfile, second] = ['daemon.json', 'berth.pid', 'second.sock'].map((name) => join(directory, name))
  await writeFile(file ?? '', JSON.stringify({ bip: '10.98.0.1/24', mtu: 1400, debug: true }))
  const flags = ['--config-file', file, '-p', pidfile, '-H', `unix://${second}`, '--log-format', 'json', '-G', '4242']
  try {
    await using daemon = await startDaemon({ command: [binary], args: flags.map(String) })
    expect(await readFile(pidfile ?? '', 'utf8')).toBe(`${daemon.pid}\n`)
    expect(await stat(second ?? '')).toMatchObject({ gid: 4242, mode: 0o140660 })
    const { stdout } = await daemon.docker(
      '-H',
      `unix://${second}`,
      'run',
      '--rm',
      'busybox',
      'ip',
      'addr',
      'show',
      'eth0',
    )
    expect(stdout).toContain('mtu 1400')
    expect(stdout).toContain('inet 10.98.0.2/24 ')
    const levels = daemon.log
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { level: string }).level)
    expect(new Set(levels)).toEqual(new Set(['info', 'debug']))
    expect(await daemon.stop()).toBe(0)
    for (const gone of [pidfile, second]) await expect(stat(gone ?? '')).rejects.toThrow('ENOENT')
    await daemon.start()
  } finally {
    await rm(directory, { recursive: true })
  }
})
