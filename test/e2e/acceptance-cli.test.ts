import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { binary, openScene, type Scene } from './packaged.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  await scene.berth('pull', '-q', 'busybox')
})
afterAll(() => scene[Symbol.asyncDispose]())

const run = ['run', '--rm', '--network', 'none']

test('the flags of run shape the container', async () => {
  const flags = ['-e', 'A=b', '-w', '/tmp', '-u', '1:2', '-v', '/usr/share:/here:ro', '-m', '64m', '--cpus', '0.5']
  const more = ['--pids-limit', '50', '--read-only', '--cap-drop', 'ALL', '--hostname', 'box', '--entrypoint', 'sh']
  const script = [
    'echo $A $(pwd) $(id -u):$(id -g) $(hostname)',
    'test -d /here/doc && echo bound',
    'touch /x 2>&1',
    'grep CapBnd /proc/self/status',
    'exit 9',
  ]
  expect(await scene.berth(...run, ...flags, ...more, 'busybox', '-c', script.join('; '))).toEqual({
    code: 9,
    stdout: 'b /tmp 1:2 box\nbound\ntouch: /x: Read-only file system\nCapBnd:\t0000000000000000\n',
    stderr: '',
  })
})

test('capabilities are given one by one, or all of ours', async () => {
  const bounding = async (...flags: string[]) => {
    const { stdout } = await scene.berth(...run, ...flags, 'busybox', 'grep', 'CapBnd', '/proc/self/status')
    return BigInt(`0x${stdout.trim().split('\t')[1]}`)
  }
  const netAdmin = 1n << 12n
  expect((await bounding()) & netAdmin).toBe(0n)
  expect((await bounding('--cap-add', 'NET_ADMIN')) & netAdmin).toBe(netAdmin)
  expect((await bounding('--privileged')) & netAdmin).toBe(netAdmin)
})

test.each<[number, string, readonly string[]]>([
  [127, 'exec: "nosuch": executable file not found in $PATH', [...run, 'busybox', 'nosuch']],
  [126, 'exec: "/etc/passwd": permission denied', [...run, 'busybox', '/etc/passwd']],
  [125, 'manifest for nosuch:x not found: manifest unknown', [...run, 'nosuch:x']],
  [125, 'unknown flag: --nonsense', [...run, '--nonsense', 'busybox']],
  [125, 'Is the berth daemon running?', ['-H', 'unix:///no/such.sock', ...run, 'busybox']],
  [1, 'Is the berth daemon running?', ['-H', 'unix:///no/such.sock', 'ps']],
  [1, 'requires at least 1 argument', ['run']],
  [1, 'unknown command: berth nonsense', ['nonsense']],
  [1, 'No such container: nosuch', ['exec', 'nosuch', 'true']],
  [1, 'No such container: nosuch', ['logs', 'nosuch']],
  [1, 'No such container: nosuch', ['stop', 'nosuch']],
  [1, 'No such object: nosuch', ['inspect', 'nosuch']],
  [1, 'No such image: nosuch:latest', ['rmi', 'nosuch']],
])('%i and "%s" end berth %j', async (code, text, args) => {
  const result = await scene.berth(...args)
  expect(result.stderr).toContain(text)
  expect(result.code).toBe(code)
})

test('a container in the background is seen, entered, told and removed', async () => {
  const { stdout } = await scene.berth('run', '-d', '--name', 'life', 'busybox', 'sh', '-c', 'echo up; sleep 1000')
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/)
  expect((await scene.berth('ps', '--format', '{{.Names}} {{.Image}} {{.State}}')).stdout).toBe(
    'life busybox running\n',
  )
  expect(await scene.berth('exec', 'life', 'sh', '-c', 'echo inside; exit 4')).toMatchObject({
    code: 4,
    stdout: 'inside\n',
  })
  expect((await scene.berth('logs', '--tail', '1', 'life')).stdout).toBe('up\n')
  expect((await scene.berth('inspect', '-f', '{{.State.Status}}', 'life')).stdout).toBe('running\n')
  expect((await scene.berth('kill', 'life')).stdout).toBe('life\n')
  expect((await scene.berth('wait', 'life')).stdout).toBe('137\n')
  expect((await scene.berth('rm', 'life')).stdout).toBe('life\n')
})

test('an image gets a name more, and loses it', async () => {
  expect((await scene.berth('tag', 'busybox', 'other:1')).code).toBe(0)
  expect((await scene.berth('images', '--format', '{{.Repository}}:{{.Tag}}')).stdout).toContain('other:1\n')
  expect((await scene.berth('rmi', 'other:1')).stdout).toBe('Untagged: other:1\n')
})

test('under the name docker it is the docker command', async () => {
  const link = join(scene.daemon.directory, 'docker')
  await symlink(binary, link)
  const docker = (...args: string[]) => scene.daemon.run([link, ...args])
  expect(await docker(...run, 'busybox', 'echo', 'hi')).toEqual({ code: 0, stdout: 'hi\n', stderr: '' })
  const missing = await docker(...run, 'busybox', 'nosuch')
  expect(missing.code).toBe(127)
  expect(missing.stderr).toMatch(
    /^docker: Error response from daemon: .*\n\nRun 'docker run --help' for more information\n$/,
  )
})
