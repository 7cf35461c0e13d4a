import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  await docker('network', 'create', 'shop')
})
afterAll(() => daemon[Symbol.asyncDispose]())

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout.trim()
}

const sleeper = (...args: string[]): Promise<string> => docker('run', '-d', ...args, busybox, 'sleep', '600')
const addressOf = (container: string, network: string): Promise<string> =>
  docker('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, container)

/** What nslookup says in the container. */
async function lookUp(container: string, ...words: string[]): Promise<string> {
  return (await daemon.docker('exec', container, 'nslookup', ...words)).stdout
}

/** Addresses in the answer, sorted. */
async function resolve(container: string, name: string): Promise<string[]> {
  const answer = (await lookUp(container, '-type=a', name)).split('\n').slice(2).join('\n')
  return [...answer.matchAll(/Address: ([\d.]+)/g)].map(([, address = '']) => address).sort()
}

test('containers find each other by name, alias, short id, host name and network', async () => {
  const web = await sleeper('--name', 'web', '--network', 'shop', '--network-alias', 'www', '--hostname', 'webhost')
  const two = await sleeper('--name', 'two', '--network', 'shop', '--network-alias', 'www')
  const [first, second] = [await addressOf(web, 'shop'), await addressOf(two, 'shop')]
  for (const name of ['web', 'WEB', 'web.shop', 'webhost', web.slice(0, 12)]) {
    expect(await resolve(two, name), name).toEqual([first])
  }
  expect(await resolve(two, 'www')).toEqual([first, second])
  expect(await lookUp(two, first)).toContain('web.shop')
  expect(await lookUp(two, '-type=aaaa', 'web')).not.toMatch(/NXDOMAIN|SERVFAIL|Address: .*:.*:/)
  expect(await docker('exec', two, 'ping', '-c', '1', '-W', '2', 'web')).toContain(`PING web (${first})`)
  expect(await docker('exec', two, 'cat', '/etc/resolv.conf')).toMatch(/^nameserver 127\.0\.0\.11$/m)
  await docker('rename', 'web', 'shopfront')
  expect(await resolve(two, 'shopfront')).toEqual([first])
  expect(await resolve(two, 'web')).toEqual([])
  await docker('stop', '-t', '0', 'shopfront')
  await waitFor('the name is gone', async () => (await resolve(two, 'shopfront')).length === 0)
  await docker('rm', '-f', 'shopfront', 'two')
})

test('names of one network mean nothing on another, and the default bridge has none', async () => {
  await docker('network', 'create', 'other')
  const [a, b] = [
    await sleeper('--name', 'aa', '--network', 'shop'),
    await sleeper('--name', 'bb', '--network', 'other'),
  ]
  const plain = await sleeper('--name', 'plain')
  expect(await resolve(b, 'aa')).toEqual([])
  expect(await docker('exec', plain, 'cat', '/etc/resolv.conf')).not.toContain('127.0.0.11')
  await docker('network', 'connect', '--alias', 'late', 'shop', 'plain')
  expect(await resolve('plain', 'aa')).toEqual([await addressOf(a, 'shop')])
  expect(await resolve(a, 'late')).toEqual([await addressOf('plain', 'shop')])
  await docker('network', 'disconnect', 'shop', 'plain')
  expect(await resolve(a, 'late')).toEqual([])
  await docker('rm', '-f', 'aa', 'bb', 'plain')
  await docker('network', 'rm', 'other')
})

/** A nameserver on the host, which knows example.org. */
async function openNameserver(address: string): Promise<AsyncDisposable> {
  const [file = '', ...enter] = daemon.enter
  await promisify(execFile)(file, [...enter, 'ip', 'addr', 'add', `${address}/32`, 'dev', 'lo'])
  const script = join(import.meta.dirname, 'nameserver.ts')
  const server = spawn(file, [...enter, process.execPath, script, address, 'example.org', '192.0.2.99'])
  await once(server.stdout, 'data')
  return {
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL')
      await once(server, 'exit')
    },
  }
}

test('other names are asked of the world, but not from internal networks', async () => {
  await docker('network', 'create', '--internal', 'closed')
  const dns = '198.51.100.53'
  await using _server = await openNameserver(dns)
  await sleeper('--name', 'open', '--network', 'shop', '--dns', dns)
  await sleeper('--name', 'shut', '--network', 'closed', '--dns', dns)
  expect(await resolve('open', 'example.org')).toEqual(['192.0.2.99'])
  expect(await lookUp('shut', '-type=a', 'example.org')).toContain('SERVFAIL')
  await docker('rm', '-f', 'open', 'shut')
  await docker('network', 'rm', 'closed')
})

test('a container may serve names itself, on all its addresses', async () => {
  await sleeper('--name', 'peer', '--network', 'shop')
  const serve = 'while true; do echo own | nc -l -p 53; done'
  const server = await docker('run', '-d', '--network', 'shop', busybox, 'sh', '-c', serve)
  expect(await resolve(server, 'peer')).toEqual([await addressOf('peer', 'shop')])
  const ask = `until nc -w 2 ${await addressOf(server, 'shop')} 53 </dev/null; do sleep 0.05; done`
  expect(await docker('exec', 'peer', 'timeout', '20', 'sh', '-c', ask)).toBe('own')
  await docker('rm', '-f', server, 'peer')
})

test.each(['stop', 'kill9'] as const)('questions wait for a daemon that starts again (%s)', async (end) => {
  await sleeper('--name', 'asker', '--network', 'shop')
  await sleeper('--name', 'asked', '--network', 'shop')
  const { State } = (await daemon.json('GET', '/containers/asker/json')) as { State: { Pid: number } }
  const address = await addressOf('asked', 'shop')
  if (end === 'stop') await daemon.stop()
  else await daemon.kill9()
  const patiently = ['nslookup', '-timeout=60', '-type=a', 'asked', '127.0.0.11']
  const inside = [`--net=/proc/${State.Pid}/ns/net`, '--', 'busybox', ...patiently]
  const waiting = promisify(execFile)('nsenter', inside, { timeout: 90_000 }).catch(
    (error: { stdout: string }) => error,
  )
  await daemon.start()
  expect((await waiting).stdout).toContain(address)
  expect(await resolve('asker', 'asked')).toEqual([address])
  await docker('rm', '-f', 'asker', 'asked')
})
