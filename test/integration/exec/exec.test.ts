import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'
import { Transcript } from '../../support/transcript.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
let id: string
beforeAll(async () => {
  daemon = await startDaemon()
  id = await daemon.runDetached('--network', 'none', '-e', 'FROM=container', busybox, 'sleep', '1000')
  return () => daemon[Symbol.asyncDispose]()
})

const exec = (...args: string[]) => daemon.docker('exec', ...args)

async function create(options: Record<string, unknown>): Promise<string> {
  return String((await daemon.json('POST', `/containers/${id}/exec`, options)).Id)
}

test('an exec prints, fails and reads as its command does', async () => {
  expect(await exec(id, 'echo', 'hi')).toEqual({ code: 0, stdout: 'hi\n', stderr: '' })
  expect((await exec(id, 'sh', '-c', 'exit 7')).code).toBe(7)
  expect(await daemon.run([dockerCli(), 'exec', '-i', id, 'cat'], 'typed\n')).toMatchObject({ stdout: 'typed\n' })
})

test('an exec has the container’s environment, user and confinement, and what was asked on top', async () => {
  const script = 'echo $FROM $ADDED; id -un; pwd; grep Seccomp: /proc/self/status; echo $HOME'
  const { stdout } = await exec('-e', 'ADDED=exec', '-u', 'nobody', '-w', '/tmp', id, 'sh', '-c', script)
  expect(stdout).toBe('container exec\nnobody\n/tmp\nSeccomp:\t2\n/home\n')
})

test('an exec is as likely a victim of a full memory as its container, not as its shim', async () => {
  const scored = await daemon.runDetached('--network', 'none', '--oom-score-adj', '321', busybox, 'sleep', '1000')
  const { stdout } = await exec(scored, 'cat', '/proc/1/oom_score_adj', '/proc/self/oom_score_adj')
  expect(stdout).toBe('321\n321\n')
  await daemon.docker('rm', '-f', scored)
})

test('a command that is missing ends with 127, one that cannot run with 126', async () => {
  const missing = await exec(id, 'nosuch')
  expect(missing.code).toBe(127)
  expect(missing.stdout + missing.stderr).toContain(
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
  )
  expect((await exec(id, '/etc/passwd')).code).toBe(126)
})

test('an exec can be inspected before, while and after it runs', async () => {
  const execId = await create({ Cmd: ['sh', '-c', 'cat; exit 3'], AttachStdin: true, AttachStdout: true })
  const inspect = () => daemon.json('GET', `/exec/${execId}/json`)
  expect(await inspect()).toMatchObject({ Running: false, ExitCode: null, Pid: 0 })
  const socket = await daemon.hijack(`/exec/${execId}/start`, { Detach: false, Tty: false })
  const said = new Transcript(socket)
  await waitFor('it runs', async () => (await inspect()).Running === true)
  const { ExecIDs } = await daemon.json('GET', `/containers/${id}/json`)
  expect(ExecIDs).toEqual([execId])
  socket.end('through\n')
  await said.ended
  expect(said.text).toContain('through\n')
  await waitFor('it has ended', async () => (await inspect()).Running === false)
  expect(await inspect()).toMatchObject({ ExitCode: 3, ContainerID: id })
  expect((await daemon.request('POST', `/exec/${execId}/start`, { Detach: true })).status).toBe(409)
})

test('a detached exec runs on without anybody', async () => {
  const execId = await create({ Cmd: ['sh', '-c', 'echo done > /detached'] })
  expect((await daemon.request('POST', `/exec/${execId}/start`, { Detach: true })).status).toBe(200)
  await waitFor('it has written', async () => (await exec(id, 'cat', '/detached')).stdout === 'done\n')
})

test('an exec with a terminal has a size and a controlling terminal', async () => {
  const execId = await create({ Cmd: ['sh'], AttachStdin: true, AttachStdout: true, Tty: true })
  const socket = await daemon.hijack(`/exec/${execId}/start`, { Detach: false, Tty: true, ConsoleSize: [20, 70] })
  const said = new Transcript(socket)
  socket.write('stty size; tty\n')
  await said.until('20 70')
  await said.until('/dev/pts/')
  expect((await daemon.request('POST', `/exec/${execId}/resize?h=44&w=111`)).status).toBe(200)
  socket.write('stty size\n')
  await said.until('44 111')
  socket.write('exit 2\n')
  await said.ended
  await waitFor('it has ended', async () => (await daemon.json('GET', `/exec/${execId}/json`)).ExitCode === 2)
})

test('what does not run takes no exec', async () => {
  const stopped = String((await daemon.json('POST', '/containers/create', { Image: busybox, Cmd: ['true'] })).Id)
  const answer = await daemon.request('POST', `/containers/${stopped}/exec`, { Cmd: ['true'] })
  expect(answer).toMatchObject({ status: 409, body: expect.stringContaining(`container ${stopped} is not running`) })
  expect((await daemon.request('GET', '/exec/unknown/json')).status).toBe(404)
  await daemon.docker('pause', id)
  expect((await daemon.request('POST', `/containers/${id}/exec`, { Cmd: ['true'] })).status).toBe(409)
  await daemon.docker('unpause', id)
})

test('execs end with their container, and many run side by side', async () => {
  const other = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  const outputs = await Promise.all(Array.from({ length: 8 }, (_, n) => exec(other, 'echo', `${n}`)))
  expect(outputs.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 8 }, (_, n) => `${n}\n`))
  const lasting = exec(other, 'sleep', '1000')
  await waitFor('it runs', async () => {
    const { ExecIDs } = await daemon.json('GET', `/containers/${other}/json`)
    return (ExecIDs as string[] | null)?.length === 1
  })
  expect((await daemon.request('DELETE', `/containers/${other}?force=1`)).status).toBe(204)
  expect((await lasting).code).not.toBe(0)
})
