import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

const execute = promisify(execFile)
const outside = '192.0.2.2'
const hostAddress = '192.0.2.1'

let daemon: TestDaemon
/** In front of a command, this runs it on a neighbour of the host. */
let neighbour: readonly string[]

beforeAll(async () => {
  daemon = await startDaemon()
  const holder = spawn('unshare', ['--net', '--', 'sh', '-c', 'echo ready; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  neighbour = ['nsenter', `--net=/proc/${holder.pid}/ns/net`, '--']
  await beside('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid))
  for (const command of [`ip addr add ${hostAddress}/24 dev up0`, 'ip link set up0 up'])
    await beside(...command.split(' '))
  for (const command of [`ip addr add ${outside}/24 dev eth0`, 'ip link set eth0 up'])
    await run([...neighbour, ...command.split(' ')])
  return async () => {
    holder.kill('SIGKILL')
    await once(holder, 'exit')
  }
})
afterAll(() => daemon[Symbol.asyncDispose]())

async function run([file = '', ...args]: readonly string[]): Promise<string> {
  return (await execute(file, args, { timeout: 30_000 })).stdout
}

const beside = (...command: string[]): Promise<string> => run([...daemon.enter, ...command])

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout.trim()
}

const refusal = async (...args: string[]): Promise<string> => (await daemon.docker(...args)).stderr.trim()

/** A container that says its word, and who asked, to everybody who connects to port 80. */
async function serving(word: string, ...args: string[]): Promise<string> {
  const script = `while true; do echo ${word} | nc -l -p 80; done`
  return docker('run', '-d', ...args, busybox, 'sh', '-c', script)
}

/** What comes from there; '' when nothing does. */
async function get(from: readonly string[], address: string, port: number): Promise<string> {
  const script = `nc -w 2 ${address} ${port} </dev/null`
  const answer = execute(from[0] ?? '', [...from.slice(1), 'busybox', 'sh', '-c', script], { timeout: 30_000 })
  return (await answer.catch((error: { stdout: string }) => error)).stdout.trim()
}

/** Groups of a container that are there, in whatever hierarchy. */
async function cgroupsOf(id: string): Promise<string[]> {
  const found = await run(['find', '/sys/fs/cgroup', '-maxdepth', '4', '-name', id])
  return found.split('\n').filter((line) => line !== '')
}

const gets = (from: readonly string[], address: string, port: number): Promise<string> =>
  waitFor(`an answer at ${address}:${port}`, async () => (await get(from, address, port)) || undefined)

test('a published port is reached from the host, its loopback, a neighbour and other containers', async () => {
  const web = await serving('web', '-p', '8080:80')
  expect(await gets(daemon.enter, '127.0.0.1', 8080)).toBe('web')
  expect(await gets(daemon.enter, '::1', 8080)).toBe('web')
  expect(await gets(daemon.enter, hostAddress, 8080)).toBe('web')
  expect(await gets(neighbour, hostAddress, 8080)).toBe('web')
  const ask = ['sh', '-c', 'nc -w 2 172.17.0.1 8080 </dev/null']
  await waitFor(
    'a neighbour on the bridge',
    async () => (await daemon.docker('run', '--rm', busybox, ...ask)).stdout === 'web\n',
  )
  await docker('network', 'create', 'far')
  const far = async () => (await daemon.docker('run', '--rm', '--network', 'far', busybox, ...ask)).stdout === 'web\n'
  await waitFor('a container of another network', far)
  await waitFor('the container itself', async () => (await daemon.docker('exec', web, ...ask)).stdout === 'web\n')
  expect(await docker('port', web)).toBe('80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080')
  expect(await docker('ps', '--format', '{{.Ports}}')).toBe('0.0.0.0:8080->80/tcp, [::]:8080->80/tcp')
  await docker('rm', '-f', web)
  await docker('network', 'rm', 'far')
  expect(await get(daemon.enter, '127.0.0.1', 8080)).toBe('')
  expect(await beside('nft', 'list', 'map', 'inet', 'berth', 'anywhere')).not.toContain('8080')
})

test('a port of the loopback is reached by nobody else, one of an address at that address', async () => {
  const local = await serving('local', '-p', '127.0.0.1:8081:80', '-p', `${hostAddress}:8082:80`)
  expect(await gets(daemon.enter, '127.0.0.1', 8081)).toBe('local')
  expect(await gets(neighbour, hostAddress, 8082)).toBe('local')
  expect(await get(neighbour, hostAddress, 8081)).toBe('')
  expect(await get(daemon.enter, '127.0.0.1', 8082)).toBe('')
  expect(await beside('sysctl', '-n', 'net.ipv4.conf.all.route_localnet')).toBe('0\n')
  await docker('rm', '-f', local)
})

test('datagrams come through, from the loopback and from outside', async () => {
  const server = `const s = require('node:dgram').createSocket('udp4'); s.on('message', (m, p) => s.send('pong ' + m, p.port, p.address)); s.bind(5353, () => console.log('ready'))`
  const box = await docker('run', '-d', '-p', '5300:5353/udp', busybox, 'sleep', '600')
  const { State } = (await daemon.json('GET', `/containers/${box}/json`)) as { State: { Pid: number } }
  const inside = spawn('nsenter', [`--net=/proc/${State.Pid}/ns/net`, '--', process.execPath, '-e', server])
  await once(inside.stdout, 'data')
  const ask = (address: string) =>
    `const s = require('node:dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); s.close() }); s.send('ping', 5300, '${address}')`
  expect(await beside(process.execPath, '-e', ask('127.0.0.1'))).toBe('pong ping\n')
  expect(await beside(process.execPath, '-e', ask('127.0.0.1'))).toBe('pong ping\n')
  expect(await run([...neighbour, process.execPath, '-e', ask(hostAddress)])).toBe('pong ping\n')
  inside.kill('SIGKILL')
  await once(inside, 'exit')
  await docker('rm', '-f', box)
})

test('who goes on sending datagrams reaches the container that has the port now', async () => {
  await docker('network', 'create', '--subnet', '10.66.0.0/24', 'posts')
  const server = (word: string) =>
    `const s = require('node:dgram').createSocket('udp4'); s.on('message', (m, p) => s.send('${word}', p.port, p.address)); s.bind(5353, () => console.log('ready'))`
  const serve = async (word: string, address: string) => {
    const id = await docker(
      ...`run -d --network posts --ip ${address} -p 5301:5353/udp ${busybox} sleep 600`.split(' '),
    )
    const { State } = (await daemon.json('GET', `/containers/${id}/json`)) as { State: { Pid: number } }
    const inside = spawn('nsenter', [`--net=/proc/${State.Pid}/ns/net`, '--', process.execPath, '-e', server(word)])
    await once(inside.stdout, 'data')
    return async () => {
      inside.kill('SIGKILL')
      await once(inside, 'exit')
      await docker('rm', '-f', id)
    }
  }
  // One socket, so one flow, which never rests.
  const sender = `const s = require('node:dgram').createSocket('udp4'); s.on('message', (m) => console.log(String(m))); setInterval(() => s.send('ping', 5301, '${hostAddress}'), 20)`
  const [file = '', ...args] = [...neighbour, process.execPath, '-e', sender]
  const client = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void client.kill('SIGKILL'))
  let heard = ''
  client.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  for (const [at, word] of ['first', 'second', 'third'].entries()) {
    const end = await serve(word, `10.66.0.${10 + at}`)
    await waitFor(`the ${word} container answers`, () => heard.includes(word))
    await end()
  }
  await docker('network', 'rm', 'posts')
})

test('much goes through the loopback, both ways, and half-closing is passed on', async () => {
  const count = 20_000_000
  const box = await docker(
    'run',
    '-d',
    '-p',
    '127.0.0.1:8083:80',
    busybox,
    'sh',
    '-c',
    'nc -l -p 80 | wc -c > /n; sleep 600',
  )
  const send = `const s = require('node:net').connect(8083, '127.0.0.1'); s.on('error', () => process.exit(1)); s.end(Buffer.alloc(${count})); s.on('close', () => process.exit(0))`
  await waitFor('the server takes it', async () => {
    await beside(process.execPath, '-e', send).catch(() => undefined)
    return (await daemon.docker('exec', box, 'cat', '/n')).stdout.trim() === String(count)
  })
  await docker('rm', '-f', box)
})

test('ports that somebody has are refused in the words of Docker, and the container does not start', async () => {
  const first = await serving('first', '-p', '8084:80')
  expect(await refusal('run', '--name', 'second', '-p', '8084:80', busybox, 'true')).toMatch(
    /failed to set up container networking: driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8084 failed: port is already allocated/,
  )
  for (let again = 0; again < 5; again++)
    expect(await refusal('start', 'second')).toContain('port is already allocated')
  expect(await cgroupsOf(await docker('inspect', '-f', '{{.Id}}', 'second'))).toEqual([])
  const listen = `require('node:net').createServer().listen(7777, () => console.log('ready'))`
  const [file = '', ...enter] = daemon.enter
  const other = spawn(file, [...enter, process.execPath, '-e', listen])
  await once(other.stdout, 'data')
  expect(await refusal('run', '--name', 'third', '-p', '7777:80', busybox, 'true')).toMatch(
    /failed to bind host port for 0\.0\.0\.0:7777:172\.17\.0\.\d+:80\/tcp: address already in use/,
  )
  other.kill('SIGKILL')
  await once(other, 'exit')
  await docker('rm', '-f', first, 'second', 'third')
})

test('ports of ranges and of the engine’s choice differ, and all that are exposed can be published', async () => {
  const one = await serving('one', '-p', '8090-8091:80', '-P', '--expose', '99')
  const two = await serving('two', '-p', '8090-8091:80')
  expect(await docker('port', one, '80')).toContain('0.0.0.0:8090')
  expect(await docker('port', two, '80')).toContain('0.0.0.0:8091')
  expect(await docker('port', one, '99')).toMatch(/^0\.0\.0\.0:(3[2-9]|[45]\d)\d{3}$/m)
  expect(await refusal('run', '-p', '8090-8091:80', busybox, 'true')).toContain('port is already allocated')
  expect(await docker('ps', '-q', '--filter', 'publish=99', '--no-trunc')).toBe(one)
  await docker('rm', '-f', one, two)
})

test('a port follows its container to another network', async () => {
  await docker('network', 'create', 'zone')
  const web = await serving('moved', '-p', '8085:80')
  await docker('network', 'connect', 'zone', web)
  await docker('network', 'disconnect', 'bridge', web)
  expect(await gets(daemon.enter, '127.0.0.1', 8085)).toBe('moved')
  expect(await gets(neighbour, hostAddress, 8085)).toBe('moved')
  await docker('network', 'disconnect', 'zone', web)
  expect(await get(daemon.enter, '127.0.0.1', 8085)).toBe('')
  await docker('network', 'connect', 'zone', web)
  expect(await gets(neighbour, hostAddress, 8085)).toBe('moved')
  await docker('rm', '-f', web)
  await docker('network', 'rm', 'zone')
})

test.each(['restart', 'kill9'] as const)('ports outlive the daemon, and a flush of the rules (%s)', async (end) => {
  const web = await serving('kept', '-p', '8086:80')
  if (end === 'kill9') await daemon.kill9()
  else await daemon.stop()
  expect(await gets(neighbour, hostAddress, 8086)).toBe('kept')
  await beside('nft', 'flush', 'ruleset')
  await daemon.start()
  expect(await gets(neighbour, hostAddress, 8086)).toBe('kept')
  expect(await gets(daemon.enter, '127.0.0.1', 8086)).toBe('kept')
  expect(await docker('port', web)).toContain('0.0.0.0:8086')
  expect(await refusal('run', '-p', '8086:80', busybox, 'true')).toContain('port is already allocated')
  await docker('rm', '-f', web)
  expect(await get(neighbour, hostAddress, 8086)).toBe('')
})

test('nothing is published of containers without a way out, or of the host’s network', async () => {
  await docker('network', 'create', '--internal', 'inner')
  const inner = await serving('inner', '--network', 'inner', '-p', '8087:80')
  expect(await docker('port', inner)).toBe('')
  const host = await daemon.docker('run', '--rm', '--network', 'host', '-p', '8088:80', busybox, 'true')
  expect(host.stderr).toContain('Published ports are discarded when using host network mode')
  await docker('rm', '-f', inner)
  await docker('network', 'rm', 'inner')
})
