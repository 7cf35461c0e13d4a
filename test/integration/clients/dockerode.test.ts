import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { fetchNpmClients, requireNpmClient } from '#test/support/npm-clients.ts'

let daemon: TestDaemon
let docker: ReturnType<typeof requireNpmClient>
beforeAll(async () => {
  fetchNpmClients()
  daemon = await startDaemon()
  const Docker = requireNpmClient('dockerode')
  docker = new Docker({ socketPath: daemon.socket })
})
afterAll(() => daemon[Symbol.asyncDispose]())

/** The two outputs of a multiplexed stream that ends. */
async function demultiplexed(stream: NodeJS.ReadableStream): Promise<{ stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  docker.modem.demuxStream(stream, stdout, stderr)
  stream.on('end', () => {
    stdout.end()
    stderr.end()
  })
  return { stdout: await text(stdout), stderr: await text(stderr) }
}

test('run gives the output and the exit code', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const command = ['sh', '-c', 'echo out; echo err >&2; exit 3']
  const [result, container] = await docker.run(busybox, command, [stdout, stderr], { Tty: false })
  expect(result.StatusCode).toBe(3)
  expect([stdout.read().toString(), stderr.read().toString()]).toEqual(['out\n', 'err\n'])
  await container.remove()
})

test('an attached stream is written, half-closed and read to its end', async () => {
  const container = await docker.createContainer({ Image: busybox, Cmd: ['cat'], OpenStdin: true, StdinOnce: true })
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
  const output = demultiplexed(stream)
  const ended = container.wait({ condition: 'next-exit' })
  await container.start()
  stream.end('all of it')
  expect(await output).toEqual({ stdout: 'all of it', stderr: '' })
  expect(await ended).toEqual({ StatusCode: 0 })
  await container.remove()
})

test('an exec, logs, stats, an archive and events of one container', async () => {
  const container = await docker.createContainer({ Image: busybox, Cmd: ['sh', '-c', 'echo up; exec sleep 600'] })
  await container.start()
  const exec = await container.exec({ Cmd: ['sh', '-c', 'cat; exit 4'], AttachStdin: true, AttachStdout: true })
  const stream = await exec.start({ hijack: true, stdin: true })
  const output = demultiplexed(stream)
  stream.end('given')
  expect((await output).stdout).toBe('given')
  expect((await exec.inspect()).ExitCode).toBe(4)

  const logs = await container.logs({ follow: true, stdout: true, stderr: true })
  const logged = demultiplexed(logs)
  expect((await container.stats({ stream: false })).memory_stats.usage).toBeGreaterThan(0)
  const events = await docker.getEvents({ filters: { container: [container.id] } })
  await container.kill()
  const told: Record<string, string>[] = []
  for await (const line of events) {
    told.push(
      ...String(line)
        .trim()
        .split('\n')
        .map((one) => JSON.parse(one)),
    )
    if (told.some(({ Action }) => Action === 'die')) break
  }
  expect(told.map(({ status }) => status)).toEqual(['kill', 'die'])
  expect((await logged).stdout).toBe('up\n')
  expect((await text(await container.getArchive({ path: '/etc/group' }))).includes('nogroup:x:65534:')).toBe(true)
  await container.remove({ v: true })
  await expect(container.inspect()).rejects.toMatchObject({
    statusCode: 404,
    json: { message: expect.stringContaining(container.id) },
  })
})

test('networks, volumes, images and progress', async () => {
  const network = await docker.createNetwork({ Name: 'lan', Labels: { a: 'b' } })
  const container = await docker.createContainer({ Image: busybox, Cmd: ['sleep', '600'] })
  await network.connect({ Container: container.id, EndpointConfig: { Aliases: ['other'] } })
  await container.start()
  expect(Object.keys((await network.inspect()).Containers)).toEqual([container.id])
  await network.disconnect({ Container: container.id, Force: true })
  await container.remove({ force: true })
  await network.remove()
  const volume = await docker.createVolume({ Name: 'kept' })
  expect((await docker.listVolumes()).Volumes.map(({ Name }: { Name: string }) => Name)).toEqual(['kept'])
  await volume.remove()
  const loaded = await docker.loadImage(await docker.getImage(busybox).get())
  const progress = await new Promise((resolve, reject) =>
    docker.modem.followProgress(loaded, (error: unknown, lines: unknown) => (error ? reject(error) : resolve(lines))),
  )
  expect(progress).toContainEqual({ stream: `Loaded image: ${busybox}:latest\n` })
})
