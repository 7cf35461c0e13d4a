/** `berth volume …` beside `docker volume …`, on the same engine. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { berthFor } from './client.ts'

let daemon: TestDaemon
let berth: (...args: readonly string[]) => Promise<CommandResult>

beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  berth = berthFor(daemon)
  for (const name of ['bbb', 'aaa']) await daemon.docker('volume', 'create', '--label', `of=${name}`, name)
  await daemon.docker('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'memory')
})
afterAll(() => daemon[Symbol.asyncDispose]())

test.each([
  ['ls'],
  ['list', '-q'],
  ['ls', '--filter', 'label=of=aaa'],
  ['ls', '-f', 'name=^m', '-q'],
  ['ls', '-f', 'zz=1'],
  ['ls', '--format', 'json'],
  [
    'ls',
    '--format',
    'table {{.Name}}\t{{.Labels}}\t{{.Label "of"}}\t{{.Links}}\t{{.Size}}\t{{.Scope}}\t{{.Status}}\t{{.Mountpoint}}',
  ],
  ['inspect', 'aaa', 'nosuch', 'memory'],
  ['inspect', '-f', '{{.Name}} {{json .Options}}', 'memory'],
  ['create', 'aaa'],
  ['create', '--name', 'a', 'b'],
  ['create', '-o', 'foo=bar', 'other'],
  ['create', '-d', 'nosuch', 'other'],
  ['rm', 'nosuch'],
  ['rm', '-f', 'nosuch'],
  ['prune', '-f', '--filter', 'label=none'],
])('volume %s %s %s %s', async (...args) => {
  const [mine, docker] = [await berth('volume', ...args), await daemon.docker('volume', ...args)]
  expect(mine).toEqual(docker)
})

test('volumes are made with a name or without, shown, pruned and removed', async () => {
  expect(await berth('volume', 'create', '--label', 'k=v', 'made')).toEqual({ code: 0, stdout: 'made\n', stderr: '' })
  expect((await daemon.json('GET', '/volumes/made')).Labels).toEqual({ k: 'v' })
  const anonymous = (await berth('volume', 'create')).stdout
  expect(anonymous).toMatch(/^[0-9a-f]{64}\n$/)
  expect((await berth('volume', 'prune', '--force')).stdout).toBe(
    `Deleted Volumes:\n${anonymous}\nTotal reclaimed space: 0B\n`,
  )
  const another = (await berth('volume', 'create')).stdout
  expect((await berth('system', 'prune', '--force', '--volumes')).stdout).toContain(`Deleted Volumes:\n${another}`)
  expect(await berth('volume', 'rm', 'made')).toEqual({ code: 0, stdout: 'made\n', stderr: '' })
  expect((await daemon.docker('volume', 'ls', '-q')).stdout).toBe('aaa\nbbb\nmemory\n')
  expect((await berth('volume', 'prune', '-af', '--filter', 'label=of=aaa')).stdout).toContain('aaa')
})
