/** Command lines with docker's CLI and with ours under the name docker, on the same engine: output, errors, status. */
import { readFileSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { busybox, type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'

const program = join(import.meta.dirname, '../../../src/main.ts')

const golden = readFileSync(join(import.meta.dirname, '../../golden/cli/parity.golden'), 'utf8')
const [looking = [], running = [], different = []] = golden
  .split(/^== .*$/m)
  .slice(1)
  .map((part) => part.split('\n').filter((line) => line !== ''))

let daemon: TestDaemon
let ours: (...args: readonly string[]) => Promise<CommandResult>

beforeAll(async () => {
  // One version for both: what the engine answers depends on it.
  vi.stubEnv('DOCKER_API_VERSION', '1.50')
  daemon = await startDaemon()
  const renamed = join(daemon.directory, 'docker')
  await symlink(process.execPath, renamed)
  vi.stubEnv('NODE_COMPILE_CACHE', join(daemon.directory, 'compiled'))
  // Behind `--` Node leaves flags such as --env-file to the program.
  ours = (...args) => daemon.run([renamed, '--', program, ...args])
  await daemon.docker('network', 'create', '--label', 'a=b', 'mine')
  await daemon.docker('volume', 'create', '--label', 'a=b', 'data')
  await daemon.runDetached(
    ...['--name', 'up', '--network', 'mine', '-l', 'tier=front', '-l', 'zone=a', '-e', 'A=1', '-v', 'data:/data'],
    ...['--expose', '81', '-m', '64m', busybox, 'sleep', '600'],
  )
  await daemon.docker('run', '--name', 'ended', busybox, 'sh', '-c', 'echo one; echo two >&2; echo three; exit 3')
  await daemon.docker('create', '--name', 'made', '-l', 'tier=back', busybox, 'true')
})
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

describe('the same answer', () => {
  test.concurrent.each(looking)('docker %s', async (line) => {
    const { theirs, mine } = await both(line)
    expect(mine).toEqual(theirs)
  })
})

describe('the same answer about containers that it makes', () => {
  test.concurrent.each(running)('docker %s', async (line) => {
    const { theirs, mine } = await both(line)
    expect(mine).toEqual(theirs)
  })
})

describe('another answer', () => {
  test.concurrent.each(different)('docker %s', async (line) => {
    const { theirs, mine } = await both(line.replace(/ {3}# .*$/, ''))
    expect(mine).not.toEqual(theirs)
  })
})

async function both(line: string): Promise<{ readonly theirs: CommandResult; readonly mine: CommandResult }> {
  const words = [...line.matchAll(/'([^']*)'|[^\s']+/g)].map(([word, quoted]) => quoted ?? word)
  const [theirs, mine] = await Promise.all([daemon.docker(...words), ours(...words)])
  return { theirs: withoutAges(theirs), mine: withoutAges(mine) }
}

/** The two ask one after the other: ages differ, and with them the widths of columns. */
function withoutAges({ code, stdout, stderr }: CommandResult): CommandResult {
  const age = /Less than a second|\d+ seconds?|About a minute|\d+ minutes?/g
  return { code, stdout: stdout.replaceAll(age, 'AGE').replaceAll(/ {2,}/g, '  '), stderr }
}
