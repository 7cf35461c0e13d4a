import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

const execute = promisify(execFile)

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

const run = (...args: string[]) => daemon.docker('run', '--rm', ...args)

/** Runs a command beside the daemon, in its network namespace. */
async function beside(...command: string[]): Promise<string> {
  const [file = '', ...args] = [...daemon.enter, ...command]
  return (await execute(file, args)).stdout
}

const hostLinks = async (): Promise<string[]> => (await beside('ip', '-o', 'link')).match(/bth[0-9a-f]{8}(?=@)/g) ?? []

interface Attachment {
  readonly IPAddress: string
  readonly Gateway: string
  readonly MacAddress: string
  readonly IPPrefixLen: number
}

async function attachmentOf(container: string): Promise<Attachment> {
  const { NetworkSettings } = await daemon.json('GET', `/containers/${container}/json`)
  const { Networks } = NetworkSettings as { Networks: Record<string, Attachment> }
  const { bridge } = Networks
  if (!bridge) throw new Error(`the container ${container} is not on the bridge`)
  return bridge
}

test('a container on the default bridge has an address, a route and its files', async () => {
  const script =
    'ip -4 -o addr show eth0; ip route; cat /etc/hosts /etc/hostname /etc/resolv.conf; cat /sys/class/net/eth0/address'
  const { stdout, stderr, code } = await run('--hostname', 'box', '--dns', '192.0.2.53', busybox, 'sh', '-c', script)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const address = /inet (172\.17\.\d+\.\d+)\/16 brd 172\.17\.255\.255/.exec(stdout)?.[1] ?? 'no address'
  expect(stdout).toContain('default via 172.17.0.1 dev eth0')
  expect(stdout).toContain(`\n${address}\tbox\nbox\n`)
  expect(stdout).toContain('nameserver 192.0.2.53\n')
  const mac = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  expect(stdout).toContain(`02:42:${mac.join(':')}\n`)
})

test('nobody gives a container an IPv6 address but its own loopback', async () => {
  const script = 'ip -6 -o addr show | while read -r _ link _ address _; do echo "$link $address"; done'
  expect((await run(busybox, 'sh', '-c', script)).stdout).toBe('lo ::1/128\n')
})

test('containers on the bridge reach each other and the host, and inspect tells their addresses', async () => {
  const server = await daemon.runDetached(busybox, 'sh', '-c', 'while true; do echo served | nc -l -p 80; done')
  const { IPAddress, Gateway, IPPrefixLen, MacAddress } = await attachmentOf(server)
  expect({ Gateway, IPPrefixLen }).toEqual({ Gateway: '172.17.0.1', IPPrefixLen: 16 })
  expect(MacAddress).toMatch(/^02:42:ac:11:/)
  const fetch = `until nc -w 5 ${IPAddress} 80 </dev/null; do sleep 0.05; done; ping -c 1 -W 5 172.17.0.1 >/dev/null && echo host`
  expect((await run(busybox, 'timeout', '20', 'sh', '-c', fetch)).stdout).toBe('served\nhost\n')
  await daemon.docker('rm', '-f', server)
})

test('the network of the host is the host’s, and none is none', async () => {
  const links = (text: string) => text.match(/(?<=: )[\w.]+(?=[@:])/g)?.sort()
  const list = ['ip', '-o', 'link']
  expect(links((await run('--network', 'none', busybox, ...list)).stdout)).toEqual(['lo'])
  const host = (await run('--network', 'host', busybox, ...list)).stdout
  expect(links(host)).toContain('berth0')
})

test.each([
  ['mine', /Error response from daemon: failed to set up container networking: network mine not found/],
  ['container:other', /joining network namespace of container: No such container: other/],
])('the network %s is refused with its reason', async (mode, message) => {
  const result = await run('--network', mode, busybox, 'true')
  expect(result.code).toBe(125)
  expect(result.stderr).toMatch(message)
})

test('the networks are listed, and inspecting one tells who is on it', async () => {
  const id = await daemon.runDetached(busybox, 'sleep', '600')
  const { IPAddress } = await attachmentOf(id)
  expect((await daemon.docker('network', 'ls', '--format', '{{.Name}} {{.Driver}}')).stdout).toBe(
    'bridge bridge\nhost host\nnone null\n',
  )
  const bridge = await daemon.json('GET', '/networks/bridge')
  expect(bridge).toMatchObject({
    Name: 'bridge',
    Driver: 'bridge',
    IPAM: { Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] },
    Containers: { [id]: { IPv4Address: `${IPAddress}/16` } },
  })
  await daemon.docker('rm', '-f', id)
  expect((await daemon.json('GET', '/networks/bridge')).Containers).toEqual({})
})

test('parallel starts get addresses of their own, and nothing of them stays', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, () => daemon.runDetached(busybox, 'sleep', '600')))
  const addresses = await Promise.all(ids.map(async (id) => (await attachmentOf(id)).IPAddress))
  expect(new Set(addresses).size).toBe(8)
  expect(await hostLinks()).toHaveLength(8)
  await Promise.all(ids.map((id) => daemon.docker('rm', '-f', id)))
  await waitFor('the links are gone', async () => (await hostLinks()).length === 0)
})

test('a container keeps its address while the daemon is away, and nobody else gets it', async () => {
  const kept = await daemon.runDetached(busybox, 'sleep', '600')
  const { IPAddress } = await attachmentOf(kept)
  const died = await daemon.runDetached(busybox, 'sleep', '600')
  const pid = ((await daemon.json('GET', `/containers/${died}/json`)).State as { Pid: number }).Pid
  await daemon.kill9()
  process.kill(pid, 'SIGKILL')
  await daemon.start()
  expect((await attachmentOf(kept)).IPAddress).toBe(IPAddress)
  const bridge = await daemon.json('GET', '/networks/bridge')
  expect(Object.keys(bridge.Containers as object)).toEqual([kept])
  const newcomer = await daemon.runDetached(busybox, 'sleep', '600')
  expect((await attachmentOf(newcomer)).IPAddress).not.toBe(IPAddress)
  await Promise.all([kept, died, newcomer].map((id) => daemon.docker('rm', '-f', id)))
  await waitFor('the links are gone', async () => (await hostLinks()).length === 0)
})

test('joining and leaving the bridge are events', async () => {
  const since = String(Math.floor(Date.now() / 1000))
  const { stdout: id } = await daemon.docker('create', busybox, 'true')
  await daemon.docker('start', '-a', id.trim())
  await daemon.docker('rm', id.trim())
  const until = String(Math.ceil(Date.now() / 1000))
  const filter = [
    '--filter',
    'type=network',
    '--format',
    '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.container}}',
  ]
  const { stdout } = await daemon.docker('events', '--since', since, '--until', until, ...filter)
  const own = stdout.split('\n').filter((line) => line.endsWith(id.trim()) && id.trim() !== '')
  expect(own).toEqual([`connect bridge ${id.trim()}`, `disconnect bridge ${id.trim()}`])
})

test('a daemon that stops leaves the bridge to a container that lives on, and else nothing', async () => {
  const kept = await daemon.runDetached(busybox, 'sleep', '600')
  await daemon.stop()
  expect(await beside('ip', '-o', 'link')).toContain('berth0')
  expect(await beside('nft', 'list', 'tables')).toBe('table inet berth\n')
  await daemon.start()
  await daemon.docker('rm', '-f', kept)
  await daemon.stop()
  expect(await beside('ip', '-o', 'link')).not.toContain('berth0')
  expect(await beside('nft', 'list', 'tables')).toBe('')
  await daemon.start()
  expect(await run(busybox, 'ip', 'route')).toMatchObject({ stdout: expect.stringContaining('default via 172.17.0.1') })
})
