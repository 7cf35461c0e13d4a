import { afterAll, beforeAll, expect, test } from 'vitest'
import { followDocker } from '../support/follow.ts'
import { openScene, type Scene } from './packaged.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  for (const name of ['busybox', '127.0.0.1:5000/busybox']) await scene.docker('pull', '-q', name)
})
afterAll(() => scene[Symbol.asyncDispose]())

const follow = (...args: readonly string[]) => followDocker(scene.daemon, ...args)

test('docker version shows the engine', async () => {
  const { code, stdout } = await scene.docker('version')
  expect(code).toBe(0)
  expect(stdout).toMatch(/Server: Berth\n Engine:\n {2}Version: +\d/)
})

test('an image is pulled from a registry and through the mirror, and known to be up to date the second time', async () => {
  for (const [name, path, last] of [
    ['127.0.0.1:5000/busybox', 'busybox', '127.0.0.1:5000/busybox:latest'],
    ['busybox', 'library/busybox', 'docker.io/library/busybox:latest'],
  ] as const) {
    await scene.docker('rmi', '-f', name)
    const first = await scene.docker('pull', name)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain(`Using default tag: latest\nlatest: Pulling from ${path}\n`)
    expect(first.stdout).toMatch(
      new RegExp(`Digest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for ${name}:latest\n${last}\n$`),
    )
    expect((await scene.docker('pull', name)).stdout).toContain(`Status: Image is up to date for ${name}:latest\n`)
  }
})

test('run prints, reads, and ends with the code of its command', async () => {
  expect(await scene.docker('run', '--rm', 'busybox', 'echo', 'hi')).toEqual({ code: 0, stdout: 'hi\n', stderr: '' })
  expect(await scene.dockerWith('x\n', 'run', '-i', '--rm', 'busybox', 'cat')).toMatchObject({ code: 0, stdout: 'x\n' })
  expect((await scene.docker('run', '--rm', 'busybox', 'sh', '-c', 'exit 42')).code).toBe(42)
  expect((await scene.docker('ps', '-aq')).stdout).toBe('')
})

test('a process that ends before its input does ends well', async () => {
  const input = 'x'.repeat(16 << 20)
  for (let round = 0; round < 6; round += 1) {
    const command = ['run', '-i', '--rm', '--network', 'none', 'busybox', 'head', '-c', '5']
    expect(await scene.dockerWith(input, ...command)).toEqual({ code: 0, stdout: 'xxxxx', stderr: '' })
  }
})

test('a life in the background: run -d, exec, logs, attach, wait, stop, rm -f, with its events', async () => {
  const since = Math.floor(Date.now() / 1000)
  const script = 'trap "exit 3" TERM; i=0; while :; do i=$((i+1)); echo line $i; usleep 50000; done'
  const started = await scene.docker('run', '-d', '--name', 'life', 'busybox', 'sh', '-c', script)
  expect(started.stdout).toMatch(/^[0-9a-f]{64}\n$/)
  const id = started.stdout.trim()
  await using logs = follow('logs', '-f', '--tail', '5', '-t', id)
  await using attached = follow('attach', '--no-stdin', id)
  await using waiting = follow('wait', id)
  const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z`
  await logs.until('line 8\n')
  await attached.until('line 9\n')
  expect(await scene.docker('exec', id, 'sh', '-c', 'echo inside; exit 6')).toMatchObject({
    code: 6,
    stdout: 'inside\n',
  })
  expect((await scene.docker('stop', id)).stdout).toBe(`${id}\n`)
  expect(await waiting.exit()).toBe(0)
  expect(waiting.output).toBe('3\n')
  expect(await attached.exit()).toBe(3)
  expect(await logs.exit()).toBe(0)
  expect(logs.output).toMatch(new RegExp(`^(${stamp} line \\d+\\n)+$`))
  expect((await scene.docker('rm', '-f', 'life')).stdout).toBe('life\n')
  const until = Math.floor(Date.now() / 1000) + 1
  const format = '{{.Action}}'
  const events = await scene.docker(
    ...['events', '--since', String(since), '--until', String(until)],
    ...['--filter', `container=${id}`, '--filter', 'type=container', '--format', format],
  )
  const lives = events.stdout
    .split('\n')
    .filter((action) => /^(create|start|attach|kill|die|stop|destroy)$/.test(action))
  expect(lives).toEqual(['create', 'start', 'attach', 'kill', 'die', 'stop', 'destroy'])
})

test('SIGTERM to the daemon leaves the container running, and the next daemon knows it', async () => {
  const { stdout } = await scene.docker('run', '-d', '--network', 'none', 'busybox', 'sleep', '1000')
  const id = stdout.trim()
  const pid = (await scene.docker('inspect', '-f', '{{.State.Pid}}', id)).stdout
  expect(await scene.daemon.stop()).toBe(0)
  process.kill(Number(pid), 0)
  await scene.daemon.start()
  expect((await scene.docker('inspect', '-f', '{{.State.Running}} {{.State.Pid}}', id)).stdout).toBe(`true ${pid}`)
  await scene.docker('rm', '-f', id)
})
