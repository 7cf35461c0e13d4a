import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'
import { tempDirectory } from '../../support/temp.ts'
import { type Authority, makeAuthority } from '../../support/tls.ts'

let daemon: TestDaemon
let ours: Authority
let others: Authority
beforeAll(async () => {
  const directory = await tempDirectory('berth-tls-')
  ours = await makeAuthority(directory.path, 'ours')
  others = await makeAuthority(directory.path, 'others')
  const { cert, key } = await ours.issue('daemon', 'serverAuth')
  const files = ['--tlscacert', ours.file, '--tlscert', cert, '--tlskey', key]
  daemon = await startDaemon({ args: ['--tlsverify', ...files, '-H', 'tcp://127.0.0.1', '-H', 'tcp://[::1]:7001'] })
  return async () => {
    await daemon[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  }
})

/** The docker CLI over the network, with a certificate of that authority. */
async function overNetwork(authority: Authority, args: readonly string[], input?: string) {
  const { cert, key } = await authority.issue('client', 'clientAuth')
  const files = ['--tlscacert', ours.file, '--tlscert', cert, '--tlskey', key]
  const docker = [dockerCli(), '--tlsverify', ...files, '-H', 'tcp://127.0.0.1:2376', ...args]
  return daemon.run([...daemon.enter, ...docker], input)
}

const curl = (...args: readonly string[]) =>
  daemon.run([...daemon.enter, 'curl', '-sS', '--max-time', '20', '--cacert', ours.file, ...args])

test('a client with a certificate of the authority works as over the socket, to the end of its input', async () => {
  expect(await overNetwork(ours, ['run', '-i', '--rm', busybox, 'cat'], 'over TLS\n')).toEqual({
    code: 0,
    stdout: 'over TLS\n',
    stderr: '',
  })
  const id = await daemon.runDetached(busybox, 'sleep', '600')
  const large = 'x'.repeat(1 << 20)
  const { code, stdout } = await overNetwork(ours, ['exec', '-i', id, 'wc', '-c'], large)
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: String(large.length) })
})

test('without a certificate, and with one of somebody else, nothing is answered', async () => {
  const { code, stderr } = await overNetwork(others, ['ps'])
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/tls: unknown certificate authority|certificate/)
  const without = await curl('https://127.0.0.1:2376/_ping')
  expect(without.code).not.toBe(0)
  expect(without.stdout).toBe('')
  const plain = await curl('http://127.0.0.1:2376/_ping')
  expect(plain.stdout).not.toContain('OK')
})

test('the certificate of a server makes no client', async () => {
  const { cert, key } = await ours.issue('a-server', 'serverAuth')
  const { code, stdout } = await curl('--cert', cert, '--key', key, 'https://127.0.0.1:2376/_ping')
  expect({ served: code === 0, stdout }).toEqual({ served: false, stdout: '' })
})

test('an address of IPv6 stands in brackets', async () => {
  const { cert, key } = await ours.issue('client', 'clientAuth')
  const { stdout } = await curl('-k', '--cert', cert, '--key', key, 'https://[::1]:7001/_ping')
  expect(stdout).toBe('OK')
})
