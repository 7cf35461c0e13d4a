import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import { buildImage } from '../../support/base-image.ts'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { type Berth, berthCommand, berthFor } from './client.ts'

let daemon: TestDaemon
let berth: Berth
beforeAll(async () => {
  daemon = await startDaemon()
  berth = berthFor(daemon)
  return () => daemon[Symbol.asyncDispose]()
})

const run = (...args: string[]) => berth('run', '--rm', '--network', 'none', ...args)

test("output, error output and exit status are the container's", async () => {
  expect(await run(busybox, 'sh', '-c', 'echo out; echo err >&2; exit 42')).toEqual({
    code: 42,
    stdout: 'out\n',
    stderr: 'err\n',
  })
})

test('input reaches the process, and so does its end', async () => {
  const line = [...berthCommand, 'run', '-i', '--rm', '--network', 'none', busybox, 'sh', '-c', 'wc -c; echo done']
  expect(await daemon.run(line, 'x'.repeat(300_000))).toEqual({ code: 0, stdout: '300000\ndone\n', stderr: '' })
})

test('flags shape the process', async () => {
  const shape = ['-e', 'A=1', '-w', '/tmp', '-u', '7:8', '--hostname', 'box', '--entrypoint', 'sh']
  const script = 'echo $A $(pwd) $(id -u):$(id -g) $(hostname) "$0" "$@"'
  const { stdout } = await run(...shape, busybox, '-c', script, 'x', '-y')
  expect(stdout).toBe('1 /tmp 7:8 box x -y\n')
})

test.each([
  [127, ['nosuch'], 'exec: "nosuch": executable file not found in $PATH'],
  [126, ['/etc/passwd'], 'exec: "/etc/passwd": permission denied'],
])('what cannot be started ends with %i and says why', async (code, command, why) => {
  const { stderr, ...rest } = await run(busybox, ...command)
  expect(rest).toEqual({ code, stdout: '' })
  expect(stderr).toMatch(/^berth: Error response from daemon: /)
  expect(stderr).toContain(`${why}\n\nRun 'berth run --help' for more information\n`)
  expect(JSON.parse((await daemon.request('GET', '/containers/json?all=1')).body)).toEqual([])
})

test('a missing image is pulled first, and told of on standard error', async () => {
  const storage = join(daemon.directory, 'cli-registry')
  await seedRegistry(storage, { 'tool:v1': buildImage() })
  await using registry = await startRegistry({ storage, enter: daemon.enter })
  const image = `${registry.host}/tool:v1`
  const { code, stdout, stderr } = await run(image, 'echo', 'ran')
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'ran\n' })
  expect(stderr).toContain(`Unable to find image '${image}' locally\nv1: Pulling from tool\n`)
  expect(stderr).toContain(`Status: Downloaded newer image for ${image}\n`)

  const quiet = await berth('pull', '-q', image)
  expect(quiet).toEqual({ code: 0, stdout: `${image}\n`, stderr: '' })
  expect((await berth('rmi', image)).stdout).toContain(`Untagged: ${image}\n`)
  expect((await run('--pull', 'never', image, 'true')).stderr).toContain(`No such image: ${image}`)
})

test('-d prints the id, which --cidfile keeps', async () => {
  const file = join(daemon.directory, 'cid')
  const started = await berth('run', '-d', '--cidfile', file, '--network', 'none', busybox, 'sleep', '60')
  expect(started.stdout).toMatch(/^[0-9a-f]{64}\n$/)
  const id = started.stdout.trim()
  expect(await readFile(file, 'utf8')).toBe(id)
  const again = await berth('run', '-d', '--cidfile', file, '--network', 'none', busybox, 'true')
  expect(again).toMatchObject({ code: 125, stderr: expect.stringContaining('container ID file found') })
  expect(await berth('rm', '-f', id)).toEqual({ code: 0, stdout: `${id}\n`, stderr: '' })
})

/** Our client as a process that has printed `ready`. */
async function runReady(script: string) {
  const [command = '', ...args] = [...berthCommand, 'run', '--rm', '--network', 'none', busybox, 'sh', '-c', script]
  const env = { ...process.env, BERTH_HOST: daemon.host, DOCKER_CONFIG: daemon.directory }
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const [first] = await once(child.stdout, 'data')
  expect(String(first)).toMatch(/^ready\n/)
  return { child, closed, stderr: text(child.stderr) }
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)('%s goes on to the container', async (signal) => {
  const name = signal.slice(3)
  const script = `trap 'echo got ${name}; exit 33' ${name}; echo ready; while :; do sleep 0.05; done`
  const { child, closed } = await runReady(script)
  const stdout = text(child.stdout)
  child.kill(signal)
  expect(await stdout).toBe(`got ${name}\n`)
  expect(await closed).toEqual([33, null])
})

test('an engine that dies is told of, with 125', async () => {
  const { closed, stderr } = await runReady('echo ready; sleep 60')
  await daemon.kill9()
  expect(await closed).toEqual([125, null])
  expect(await stderr).toMatch(/^error waiting for container: /)
  await daemon.start()
  const [container] = JSON.parse((await daemon.request('GET', '/containers/json')).body) as { Id: string }[]
  expect((await berth('rm', '-f', container?.Id ?? '')).code).toBe(0)
})

test('a reader that goes away ends the client', async () => {
  const { child, closed } = await runReady('echo ready; while :; do echo more; sleep 0.05; done')
  child.stdout.destroy()
  expect(await closed).toEqual([141, null])
  const [container] = JSON.parse((await daemon.request('GET', '/containers/json')).body) as { Id: string }[]
  expect((await berth('rm', '-f', container?.Id ?? '')).code).toBe(0)
})
