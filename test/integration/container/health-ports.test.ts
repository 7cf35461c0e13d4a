/** Health checks of ports, for images without any tool. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

interface Health {
  readonly Status: string
  readonly Log: readonly { ExitCode: number; Output: string }[]
}

const web = 'mkdir -p /tmp/www; echo up > /tmp/www/ready; exec httpd -f -p 8080 -h /tmp/www'
const interval = ['--health-interval', '100ms', '--health-retries', '1']
const stateOf = async (id: string) =>
  (await daemon.json('GET', `/containers/${id}/json`)).State as { readonly Pid: number; readonly Health?: Health }
const becomes = (id: string, status: string) =>
  waitFor(`${id} is ${status}`, async () => {
    const { Health } = await stateOf(id)
    return Health?.Status === status && Health
  })
const remove = (id: string) => daemon.docker('rm', '-f', id)
const create = async (body: object) => {
  const { Id } = await daemon.json('POST', '/containers/create', { Image: busybox, ...body })
  await daemon.json('POST', `/containers/${Id}/start`)
  return String(Id)
}

test.each([['none'], ['bridge']])(
  'an HTTP check follows the answers of a server on the network %s',
  async (network) => {
    const id = await daemon.runDetached(
      ...['--network', network, ...interval, '--label', 'io.berth.healthcheck.http=http://:8080/ready'],
      ...[busybox, 'sh', '-c', web],
    )
    expect((await becomes(id, 'healthy')).Log.at(-1)).toMatchObject({
      ExitCode: 0,
      Output: expect.stringMatching(/^HTTP\/1\.[01] 200 OK\nup\n/),
    })
    await daemon.docker('exec', id, 'rm', '/tmp/www/ready')
    const { Log } = await becomes(id, 'unhealthy')
    expect(Log.at(-1)).toMatchObject({ ExitCode: 1, Output: expect.stringMatching(/^HTTP\/1\.[01] 404 Not Found\n/) })
    await remove(id)
  },
)

test('Test says it as well, and a TCP check needs only a listener, on an address of the container’s own', async () => {
  const id = await create({
    Cmd: ['sh', '-c', 'exec httpd -f -p "$(hostname -i)":8080 -h /tmp'],
    Healthcheck: { Test: ['TCP', '8080'], Interval: 100_000_000 },
  })
  const { Log } = await becomes(id, 'healthy')
  const address = (await daemon.docker('exec', id, 'hostname', '-i')).stdout.trim()
  expect(Log.at(-1)).toMatchObject({ ExitCode: 0, Output: `connected to ${address}:8080` })
  await remove(id)
})

test('nobody listens, or somewhere else: unhealthy, with a reason', async () => {
  const check = (Test: readonly string[]) =>
    create({ Cmd: ['sleep', '1000'], Healthcheck: { Test, Interval: 100_000_000, Retries: 1 } })
  const [silent, elsewhere] = await Promise.all([check(['TCP', 'localhost:81']), check(['HTTP', 'http://192.0.2.1/'])])
  expect((await becomes(silent, 'unhealthy')).Log.at(-1)?.Output).toBe('connect to 127.0.0.1:81: Connection refused')
  expect((await becomes(elsewhere, 'unhealthy')).Log.at(-1)?.Output).toBe('192.0.2.1 is no address of the container')
  await Promise.all([remove(silent), remove(elsewhere)])
})

test('who asks is nobody, in the container’s network, and ends with the time; a server’s bytes are cut', async () => {
  const port = 20_000 + Math.trunc(Math.random() * 20_000)
  const server = `nc -ll -p ${port} -e sleep 1000`
  const id = await create({
    Cmd: ['sh', '-c', server],
    Healthcheck: { Test: ['HTTP', `http://:${port}/`], Interval: 100_000_000, Timeout: 2_000_000_000, Retries: 1 },
  })
  const asking = () => readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && isAsking(pid, port))
  const pid = await waitFor('somebody asks and is confined', () => {
    const found = asking()
    return found !== undefined && statusOf(found).get('Seccomp') === '2' && found
  })
  const status = statusOf(pid)
  expect(status.get('Uid')).toBe('65534\t65534\t65534\t65534')
  expect(status.get('Gid')).toBe('65534\t65534\t65534\t65534')
  expect(status.get('Groups')?.trim()).toBe('')
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(status.get(set)).toBe('0000000000000000')
  expect(status.get('NoNewPrivs')).toBe('1')
  expect(readlinkSync(`/proc/${pid}/ns/net`)).toBe(readlinkSync(`/proc/${(await stateOf(id)).Pid}/ns/net`))
  const { Log } = await becomes(id, 'unhealthy')
  expect(Log[0]).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (2s)' })
  await remove(id)
  await waitFor('nobody asks any more', () => asking() === undefined)

  const loud = await create({
    Cmd: ['sh', '-c', 'nc -ll -p 80 -e sh -c \'printf "HTTP/1.1 200 OK\\r\\n\\r\\n"; yes | head -c 100000\''],
    Healthcheck: { Test: ['HTTP', 'http://localhost'], Interval: 100_000_000 },
  })
  const output = (await becomes(loud, 'healthy')).Log.at(-1)?.Output ?? ''
  expect(output.startsWith('HTTP/1.1 200 OK\ny\n')).toBe(true)
  expect(output.length).toBeLessThanOrEqual(4099)
  await remove(loud)
})

test('an image’s own labels and forms probe nothing', async () => {
  const made = await daemon.docker('create', busybox, 'sh', '-c', web)
  const label = 'LABEL io.berth.healthcheck.http=http://:8080/ready io.berth.health-on-failure=kill'
  expect((await daemon.docker('commit', '--change', label, made.stdout.trim(), 'labelled')).code).toBe(0)
  const id = await daemon.runDetached('--network', 'none', ...interval, 'labelled')
  const { State, Config } = await daemon.json('GET', `/containers/${id}/json`)
  expect(State).not.toHaveProperty('Health')
  expect((Config as { Healthcheck: object }).Healthcheck).not.toHaveProperty('Test')
  await remove(id)
  await remove(made.stdout.trim())
})

test('an address that is not the container’s is refused', async () => {
  const answer = await daemon.request('POST', '/containers/create', {
    Image: busybox,
    Healthcheck: { Test: ['HTTP', 'http://metadata.internal/'] },
  })
  expect(answer.status).toBe(400)
  expect(answer.body).toContain('an address of the container')
})

function isAsking(pid: string, port: number): boolean {
  try {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return program.endsWith('berth-probe') && args.includes(String(port))
  } catch {
    return false
  }
}

function statusOf(pid: string): Map<string, string> {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n')
    return new Map(lines.map((line) => [line.split(':', 1)[0] ?? '', line.slice(line.indexOf(':') + 1).trim()]))
  } catch {
    return new Map()
  }
}
