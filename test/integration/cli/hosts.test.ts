/** An engine behind TLS and behind ssh, with docker's CLI and with ours under the name docker: output, errors, status. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { busybox, type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'
import { tempDirectory } from '../../support/temp.ts'
import { makeAuthority } from '../../support/tls.ts'

const program = join(import.meta.dirname, '../../../src/main.ts')

let daemon: TestDaemon
let ours: readonly string[]
let sshLog: string
let tls: {
  readonly good: readonly string[]
  readonly stranger: readonly string[]
  readonly noCertificate: readonly string[]
}

/** ssh as far as it matters here: it runs the words behind the host in a shell, where `docker` is ours. */
const fakeSsh = `#!/bin/sh
echo "$*" >>"$SSH_LOG"
while [ "$1" != -- ]; do shift; done
shift
case $1 in
unknown) read -r request; echo "ssh: Could not resolve hostname unknown" >&2; exit 255 ;;
absent) echo "ssh: absent" >&2; exit 255 ;;
esac
shift
PATH="$REMOTE_PATH"
exec sh -c "$*"
`

beforeAll(async () => {
  vi.stubEnv('DOCKER_API_VERSION', '1.50')
  const directory = await tempDirectory('berth-hosts-')
  const at = (name: string) => join(directory.path, name)
  const [mine, others] = [await makeAuthority(directory.path, 'mine'), await makeAuthority(directory.path, 'others')]
  const server = await mine.issue('daemon', 'serverAuth')
  const files = ({ cert, key }: { cert: string; key: string }) => ['--tlscert', cert, '--tlskey', key]
  const client = files(await mine.issue('client', 'clientAuth'))
  const trusted = ['--tlsverify', '--tlscacert', mine.file]
  tls = {
    good: [...trusted, ...client],
    stranger: ['--tlsverify', '--tlscacert', others.file, ...client],
    noCertificate: trusted,
  }
  daemon = await startDaemon({
    args: ['--tlsverify', '--tlscacert', mine.file, ...files(server), '-H', 'tcp://127.0.0.1'],
  })
  await symlink(process.execPath, at('docker'))
  ours = [at('docker'), '--', program]
  await mkdir(at('bin'))
  await mkdir(at('remote'))
  await writeFile(at('bin/ssh'), fakeSsh, { mode: 0o755 })
  await writeFile(at('remote/docker'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, { mode: 0o755 })
  vi.stubEnv('PATH', `${at('bin')}:${process.env.PATH}`)
  sshLog = at('ssh.log')
  vi.stubEnv('SSH_LOG', sshLog)
  vi.stubEnv('REMOTE_PATH', `${at('remote')}:${process.env.PATH}`)
  vi.stubEnv('NODE_COMPILE_CACHE', at('compiled'))
  return async () => {
    await daemon[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
  }
})

async function both(words: readonly string[], input = ''): Promise<{ theirs: CommandResult; mine: CommandResult }> {
  const theirs = await daemon.run([...daemon.enter, dockerCli(), ...words], input)
  return { theirs, mine: await daemon.run([...daemon.enter, ...ours, ...words], input) }
}

const overTls = (kind: keyof typeof tls, ...words: readonly string[]) => [
  ...tls[kind],
  ...['-H', 'tcp://127.0.0.1:2376', ...words],
]

test('over TLS a command is as over the socket, to the end of its input', async () => {
  const { theirs, mine } = await both(overTls('good', 'run', '-i', '--rm', busybox, 'cat'), 'over TLS\n')
  expect(mine).toEqual({ code: 0, stdout: 'over TLS\n', stderr: '' })
  expect(mine).toEqual(theirs)
  const large = 'x'.repeat(1 << 20)
  const count = await both(overTls('good', 'run', '-i', '--rm', busybox, 'wc', '-c'), large)
  expect(count.mine).toEqual(count.theirs)
  const listed = await both(overTls('good', 'images', '--format', 'json'))
  expect(listed.mine).toEqual(listed.theirs)
})

test('an engine of another authority, and one that wants a certificate, are refused in the same words', async () => {
  const stranger = await both(overTls('stranger', 'ps'))
  expect(stranger.mine).toEqual(stranger.theirs)
  expect(stranger.mine.stderr).toContain('certificate signed by unknown authority')
  const without = await both(overTls('noCertificate', 'ps'))
  expect(without.mine).toEqual(without.theirs)
  expect(without.mine.stderr).toContain('certificate required')
})

test('TLS is asked for by the environment too', async () => {
  const [, ca = '', , cert = '', , key = ''] = tls.good.slice(1)
  const directory = join(sshLog, '../certificates')
  await mkdir(directory)
  for (const [name, path] of Object.entries({ 'ca.pem': ca, 'cert.pem': cert, 'key.pem': key })) {
    await symlink(path, join(directory, name))
  }
  const env = ['env', 'DOCKER_TLS_VERIFY=1', `DOCKER_CERT_PATH=${directory}`]
  const answer = await daemon.run([...daemon.enter, ...env, ...ours, '-H', 'tcp://localhost:2376', 'ps', '-q'])
  expect(answer).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('over ssh a command is as over the socket, to the end of its input', async () => {
  const { theirs, mine } = await both(['-H', 'ssh://me@engine:22', 'run', '-i', '--rm', busybox, 'cat'], 'over ssh\n')
  expect(mine).toEqual({ code: 0, stdout: 'over ssh\n', stderr: '' })
  expect(mine).toEqual(theirs)
  const started = new Set((await readFile(sshLog, 'utf8')).trim().split('\n'))
  expect(started).toContain('-l me -p 22 -o ConnectTimeout=30 -T -- engine docker system dial-stdio')
  const named = await both(['-H', `ssh://engine${daemon.socket}`, 'images', '--format', 'json'])
  expect(named.mine).toEqual(named.theirs)
  const failing = await both([
    '-H',
    'ssh://engine',
    'run',
    '--rm',
    busybox,
    'sh',
    '-c',
    'echo out; echo err >&2; exit 3',
  ])
  expect(failing.mine).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' })
  expect(failing.mine).toEqual(failing.theirs)
})

test('why ssh did not get there is told, with the command', async () => {
  const { theirs, mine } = await both(['-H', 'ssh://unknown', 'ps'])
  expect(mine).toEqual(theirs)
  expect(mine.stderr).toContain('has exited with exit status 255')
  expect(mine.stderr).toContain('stderr=ssh: Could not resolve hostname unknown')
  const unread = await daemon.run([...ours, '-H', 'ssh://absent', 'ps'])
  expect(unread.stderr).toBe(mine.stderr.replaceAll('unknown', 'absent').replace('Could not resolve hostname ', ''))
})

const refused = [
  ...['-H npipe:// ps', '-H fd:// ps', '-H tcp://:1 ps', '-H :1 ps', '-H foo://x ps'],
  ...['-H ssh:// ps', '-H ssh://a:b@h ps', '-H ssh://h?x ps', '-H tcp://127.0.0.1:1/v1 ps', '-H http://127.0.0.1:1 ps'],
  ...['-H tcp://127.0.0.1:99999 ps', '-H unix:///nosuch ps', '-H tcp:// ps'],
  ...['--tls ps', '--tlsverify run x', '--tls --tlscacert /nosuch ps', '-c a -H b ps', '-c nosuch ps'],
]

test.concurrent.each(refused)('docker %s is refused in the same words', async (line) => {
  const { theirs, mine } = await both(line.split(' '))
  expect(mine).toEqual(theirs)
})
