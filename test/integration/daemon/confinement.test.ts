/** What users of the host, and the processes of containers, get from the daemon's side (CVE-2021-41091, CVE-2024-25621, CVE-2022-24769). */
import { execFile } from 'node:child_process'
import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

const execute = promisify(execFile)
let daemon: TestDaemon
let id: string

beforeAll(async () => {
  daemon = await startDaemon()
  // What stands above is open, so that only the daemon's own directories keep anybody out.
  await chmod(daemon.directory, 0o755)
  id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  return () => daemon[Symbol.asyncDispose]()
})

/** As nobody, of no group of root's. */
async function asNobody(...command: readonly string[]): Promise<string> {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
  const result = execute('setpriv', [...nobody, ...command])
  return result.then(({ stdout }) => stdout).catch((error: { stderr: string }) => error.stderr)
}

test('nobody can enter the data root, or the directories of shims', async () => {
  const shims = join(daemon.execRoot, 'shims')
  expect(await readdir(shims)).not.toEqual([])
  expect(await asNobody('stat', '-c', '%F', daemon.dataRoot)).toBe('directory\n')
  for (const directory of [daemon.dataRoot, shims, join(shims, id)])
    expect(await asNobody('ls', directory)).toContain('Permission denied')
  expect(await asNobody('cat', join(shims, id, 'shim.json'))).toContain('Permission denied')
})

test('containers and execs have no inheritable capabilities', async () => {
  const script = ['grep', 'CapInh', '/proc/self/status']
  const { stdout } = await daemon.docker('run', '--rm', '--network', 'none', '--privileged', busybox, ...script)
  const inside = await daemon.docker('exec', '--privileged', id, ...script)
  expect([stdout, inside.stdout]).toEqual(['CapInh:\t0000000000000000\n', 'CapInh:\t0000000000000000\n'])
})
