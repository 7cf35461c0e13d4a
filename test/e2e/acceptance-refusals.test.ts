import { afterAll, beforeAll, expect, test } from 'vitest'
import { openScene, type Scene } from './packaged.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  await scene.docker('pull', '-q', 'busybox')
})
afterAll(() => scene[Symbol.asyncDispose]())

const run = ['run', '--rm', '--network', 'none']
const zero = `sha256:${'0'.repeat(64)}`

/** What dockerd 28 says and with what the docker CLI then ends, for the same words. */
test.each<[number, string, readonly string[]]>([
  [1, 'manifest for 127.0.0.1:5000/nosuch:latest not found: manifest unknown', ['pull', '127.0.0.1:5000/nosuch']],
  [1, 'manifest for 127.0.0.1:5000/busybox:v9 not found: manifest unknown', ['pull', '127.0.0.1:5000/busybox:v9']],
  [1, `manifest for 127.0.0.1:5000/busybox@${zero} not found`, ['pull', `127.0.0.1:5000/busybox@${zero}`]],
  [1, 'connect: connection refused', ['pull', '127.0.0.1:5999/x']],
  [125, "Unable to find image '127.0.0.1:5000/nosuch:latest' locally\n", [...run, '127.0.0.1:5000/nosuch', 'true']],
  [127, 'exec: "nosuch": executable file not found in $PATH', [...run, 'busybox', 'nosuch']],
  [126, 'exec: "/etc/passwd": permission denied', [...run, 'busybox', '/etc/passwd']],
  [126, 'exec: "/etc": ', [...run, 'busybox', '/etc']],
  [125, 'unable to find user nouser: no matching entries in passwd file', [...run, '-u', 'nouser', 'busybox', 'id']],
  [125, 'Minimum memory limit allowed is 6MB', [...run, '-m', '1m', 'busybox', 'true']],
  [125, 'range of CPUs is from 0.01 to ', [...run, '--cpus', '1000', 'busybox', 'true']],
  [
    125,
    'Invalid container name (!bad), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    [...run, '--name', '!bad', 'busybox'],
  ],
  [125, 'network nosuchnet not found', ['run', '--rm', '--network', 'nosuchnet', 'busybox', 'true']],
  [125, 'bind source path does not exist: /no/such', [...run, '--mount', 'type=bind,src=/no/such,dst=/x', 'busybox']],
  [125, "invalid specification: destination can't be '/'", [...run, '-v', '/tmp:/', 'busybox', 'true']],
  [125, 'error looking up logging plugin nope: plugin "nope" not found', [...run, '--log-driver', 'nope', 'busybox']],
  [1, 'refusing to create an ambiguous tag using digest algorithm as name', ['tag', 'busybox', 'sha256:abc']],
  [1, 'cannot kill container: nosuch: No such container: nosuch', ['kill', 'nosuch']],
  [1, 'No such container: nosuch', ['logs', 'nosuch']],
  [1, 'No such container: nosuch', ['attach', 'nosuch']],
  [1, 'No such image: nosuch:latest', ['rmi', 'nosuch']],
  [1, "invalid filter 'status=nope'", ['ps', '--filter', 'status=nope']],
  [1, 'This node is not a swarm manager.', ['node', 'ls']],
])('%i and "%s" is what is answered to docker %j', async (code, text, args) => {
  const result = await scene.docker(...args)
  expect(result.stderr).toContain(text)
  expect(result.code).toBe(code)
  expect(result.stdout.replace('Using default tag: latest\n', '')).toBe('')
})

test('a container whose command is missing is created, with the reason, and can be removed', async () => {
  await scene.docker('run', '--name', 'half', '--network', 'none', 'busybox', 'nosuch')
  const { stdout } = await scene.docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}', 'half')
  expect(stdout).toBe('created 127 0\n')
  expect((await scene.docker('rm', 'half')).code).toBe(0)
})

test('what a running container refuses is told in the words of dockerd', async () => {
  await scene.docker('run', '-d', '--name', 'r1', '--network', 'none', 'busybox', 'sleep', '1000')
  const words = async (...args: string[]) => (await scene.docker(...args)).stderr
  expect(await words('kill', '-s', '99', 'r1')).toContain(
    'cannot kill container: r1: the linux daemon does not support signal 99',
  )
  expect(await words('rename', 'r1', '!!')).toContain(
    'Error when allocating new name: Invalid container name (/!!), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  )
  expect(await words('top', 'r1', '-o', 'nope')).toBe(
    'Error response from daemon: ps: error: unknown user-defined format specifier "nope"\n',
  )
  expect(await scene.docker('exec', '-u', 'nope', 'r1', 'id')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'Error response from daemon: unable to find user nope: no matching entries in passwd file\n',
  })
  expect(await scene.docker('exec', 'r1', '')).toMatchObject({ code: 127 })
  expect(await words('rm', 'r1')).toContain(
    'cannot remove container "r1": container is running: stop the container before removing or force remove',
  )
  await scene.docker('pause', 'r1')
  expect(await words('exec', 'r1', 'true')).toBe(
    'Error response from daemon: Container r1 is paused, unpause the container before exec\n',
  )
  await scene.docker('rm', '-f', 'r1')
})

test.each<[number, string, string, unknown]>([
  [400, 'client version 9.99 is too new. Maximum supported API version is 1.51', 'GET /v9.99/info', undefined],
  [400, 'client version 1.0 is too old. Minimum supported API version is 1.24', 'GET /v1.0/info', undefined],
  [404, 'page not found', 'GET /v1.51/nowhere', undefined],
  [400, 'json: cannot unmarshal', 'POST /v1.51/containers/create', { Image: 5 }],
  [400, 'json: cannot unmarshal', 'POST /v1.51/containers/create', { Image: 'busybox', HostConfig: { Memory: 'x' } }],
  [404, 'No such image: nosuch:latest', 'POST /v1.51/containers/create', { Image: 'nosuch' }],
])('%i and "%s" answer %s %j', async (status, text, line, body) => {
  const [method = '', path = ''] = line.split(' ')
  const answer = await scene.daemon.request(method, path, body)
  expect(answer.body).toContain(text)
  expect(answer.status).toBe(status)
})
