import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

const run = (...args: string[]) => daemon.docker('run', '--rm', '--network', 'none', ...args)

test('a container prints, and is gone after it', async () => {
  expect(await run(busybox, 'echo', 'hi')).toEqual({ code: 0, stdout: 'hi\n', stderr: '' })
  expect(JSON.parse((await daemon.request('GET', '/containers/json?all=1')).body)).toEqual([])
})

test("the container's exit code becomes the CLI's", async () => {
  expect((await run(busybox, 'sh', '-c', 'exit 42')).code).toBe(42)
})

test('standard error and output stay apart', async () => {
  expect(await run(busybox, 'sh', '-c', 'echo out; echo err >&2')).toEqual({
    code: 0,
    stdout: 'out\n',
    stderr: 'err\n',
  })
})

test('input reaches the process, and its end does too', async () => {
  const result = await daemon.run([dockerCli(), 'run', '-i', '--rm', '--network', 'none', busybox, 'cat'], 'x\n')
  expect(result).toEqual({ code: 0, stdout: 'x\n', stderr: '' })
})

test.each([
  ['a command that is not there', ['nosuch'], 127, 'exec: "nosuch": executable file not found in $PATH'],
  ['a path that is not there', ['/no/such'], 127, 'exec: "/no/such": stat /no/such: no such file or directory'],
  ['a file that may not be executed', ['/etc/passwd'], 126, 'exec: "/etc/passwd": permission denied'],
])('%s ends with its code and says why', async (_, command, code, text) => {
  const result = await run(busybox, ...command)
  expect(result.code).toBe(code)
  expect(result.stderr).toContain(
    `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${text}`,
  )
})

test('with --init the command has a process 1 above it, whoever it runs as, which ends as it does', async () => {
  const script = 'tr "\\0" " " < /proc/1/cmdline; echo; cat /proc/1/comm; exit 42'
  const result = await run('--init', '--user', '1000', busybox, 'sh', '-c', script)
  expect(result).toMatchObject({ code: 42, stderr: '' })
  expect(result.stdout).toMatch(/^\/sbin\/docker-init -- sh -c .*\ndocker-init\n$/)
  expect((await run('--init', busybox, 'nosuch')).code).toBe(127)
  expect((await run('--init', '--pid', 'host', busybox, 'echo', 'as it is')).stdout).toBe('as it is\n')
})

test('a container whose command is missing stays created, and says so', async () => {
  const name = 'without-command'
  expect((await daemon.docker('run', '--name', name, '--network', 'none', busybox, 'nosuch')).code).toBe(127)
  const { State } = await daemon.json('GET', `/containers/${name}/json`)
  expect(State).toMatchObject({ Status: 'created', ExitCode: 127, Pid: 0, Running: false })
  expect((await daemon.docker('rm', name)).code).toBe(0)
})

test('an unknown image is asked for and not found', async () => {
  const answer = await daemon.request('POST', '/containers/create', { Image: 'nowhere', Cmd: ['true'] })
  expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('No such image: nowhere:latest') })
})

test('two containers cannot have one name', async () => {
  const body = { Image: busybox, Cmd: ['true'] }
  const { Id } = await daemon.json('POST', '/containers/create?name=twice', body)
  const second = await daemon.request('POST', '/containers/create?name=twice', body)
  expect(second.status).toBe(409)
  expect(JSON.parse(second.body)).toEqual({
    message: `Conflict. The container name "/twice" is already in use by container "${Id}". You have to remove (or rename) that container to be able to reuse that name.`,
  })
  expect((await daemon.request('DELETE', `/containers/${Id}`)).status).toBe(204)
})

test('limits, capabilities and namespaces are as asked', async () => {
  const script = 'grep -E "^(CapBnd|Seccomp|NoNewPrivs):" /proc/self/status; id -u; cat /proc/1/comm; hostname'
  const { stdout } = await run(
    ...['--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN', '--security-opt', 'no-new-privileges'],
    ...['-u', '1000', '-h', 'inside', busybox, 'sh', '-c', script],
  )
  expect(stdout.replaceAll('\t', ' ')).toBe('CapBnd: 0000000000001000\nNoNewPrivs: 1\nSeccomp: 2\n1000\nsh\ninside\n')
})

test('a read-only container writes only where it is allowed', async () => {
  const script = 'touch /x; touch /tmp/y && echo written'
  const result = await run('--read-only', '--tmpfs', '/tmp', busybox, 'sh', '-c', script)
  expect(result).toMatchObject({ stdout: 'written\n', stderr: expect.stringContaining('Read-only file system') })
})

test('what is not implemented is refused by name', async () => {
  const result = await run('-p', '80:80/sctp', busybox, 'true')
  expect(result.code).toBe(125)
  expect(result.stderr).toContain('publishing ports of SCTP')
})
