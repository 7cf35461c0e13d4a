import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { type CommandResult, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry } from '#test/support/registry.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { startTokenRegistry } from '#test/support/token-registry.ts'
import { type Berth, berthCommand, berthFor } from '../cli/client.ts'

/** `docker` and `berth` with the same stored credentials. */
function clientsOf(daemon: TestDaemon) {
  const berth: Berth = berthFor(daemon)
  const login = (program: readonly string[], host: string, password: string): Promise<CommandResult> =>
    daemon.run([...program, 'login', '-u', 'user', '--password-stdin', host], `${password}\n`)
  const config = async () => JSON.parse(await readFile(join(daemon.directory, 'config.json'), 'utf8'))
  return { berth, login, config }
}

test('both clients log in with a password, pull with it, and log out', async () => {
  await using directory = await tempDirectory()
  await seedRegistry(directory.path, { 'app:latest': buildImage() })
  await using daemon = await startDaemon({ withImage: false })
  await using registry = await startRegistry({ storage: directory.path, basicAuth: true, enter: daemon.enter })
  const { berth, login, config } = clientsOf(daemon)
  const image = `${registry.host}/app`
  // It must not ask anybody for a password, as it would at a 401.
  const anonymous = await daemon.docker('pull', '-q', image)
  expect(anonymous.stderr).toMatch(/^Error response from daemon: Head "http:.*": no basic auth credentials\n/)
  expect((await daemon.request('POST', `/images/create?fromImage=${image}&tag=latest`)).status).toBe(500)

  for (const program of [['docker'], berthCommand]) {
    expect((await login(program, registry.host, 'guess')).stderr).toContain(
      `login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`,
    )
    const accepted = await login(program, registry.host, 'secret')
    expect(accepted).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' })
    expect(accepted.stderr).toContain(join(daemon.directory, 'config.json'))
    expect((await config()).auths).toEqual({ [registry.host]: { auth: Buffer.from('user:secret').toString('base64') } })
    expect((await stat(join(daemon.directory, 'config.json'))).mode & 0o777).toBe(0o600)
    expect((await daemon.docker('pull', '-q', image)).code).toBe(0)
    expect((await berth('pull', '-q', image)).code).toBe(0)
    expect((await berth('login', registry.host)).stdout).toBe(
      'Authenticating with existing credentials...\nLogin Succeeded\n',
    )
    expect((await daemon.run([...program, 'logout', registry.host])).stdout).toBe(
      `Removing login credentials for ${registry.host}\n`,
    )
    expect((await config()).auths).toEqual({})
    expect((await berth('logout', registry.host)).stdout).toBe(`Not logged in to ${registry.host}\n`)
  }
  expect(daemon.log).not.toMatch(/secret|guess/)
})

test('a person is asked, and the password is not shown', async () => {
  await using directory = await tempDirectory()
  await using daemon = await startDaemon({ withImage: false })
  await using registry = await startRegistry({ storage: directory.path, basicAuth: true, enter: daemon.enter })
  const { berth } = clientsOf(daemon)
  await using terminal = await berth.onTerminal('login', registry.host)
  await terminal.until('Username: ')
  terminal.write('user\n')
  await terminal.until('Password: ')
  terminal.write('secrez\x7ft\r')
  const { status, rest } = await terminal.end()
  expect(status).toBe(0)
  expect(rest).toContain('Login Succeeded')
  expect(rest).not.toContain('secre')
})

test('a token that stands for the password is kept in its place, by a helper too', async () => {
  await using daemon = await startDaemon({ withImage: false })
  await using registry = await startTokenRegistry(daemon.enter)
  const { berth, login, config } = clientsOf(daemon)
  const refused = await login(berthCommand, registry.host, 'guess')
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('incorrect username or password') })
  expect(await login(berthCommand, registry.host, 'secret')).toMatchObject({ code: 0 })
  const [stored] = Object.values((await config()).auths)
  expect(stored).toEqual({ auth: Buffer.from('user:').toString('base64'), identitytoken: 'lasting' })
  expect(await berth('login', registry.host)).toMatchObject({ code: 0 })
  expect(registry.requests.at(-1)).toBe('POST lasting')

  const helper = join(daemon.directory, 'docker-credential-tests')
  const kept = join(daemon.directory, 'kept')
  await writeFile(
    helper,
    `#!/bin/sh
case $1 in
store) cat > ${kept} ;;
get) test -s ${kept} && sed 's/"ServerURL":"[^"]*",//' ${kept} || { echo credentials not found in native keychain; exit 1; } ;;
erase) : > ${kept} ;;
esac
`,
  )
  await chmod(helper, 0o755)
  await writeFile(join(daemon.directory, 'config.json'), '{"credsStore":"tests","HttpHeaders":{"a":"b"}}')
  const withHelper = ['env', `PATH=${daemon.directory}:${process.env.PATH}`]
  const helped = await login([...withHelper, ...berthCommand], registry.host, 'secret')
  expect(helped).toMatchObject({ code: 0, stdout: 'Login Succeeded\n', stderr: '' })
  expect(JSON.parse(await readFile(kept, 'utf8'))).toEqual({
    ServerURL: registry.host,
    Username: '<token>',
    Secret: 'lasting',
  })
  expect(await config()).toEqual({ credsStore: 'tests', HttpHeaders: { a: 'b' } })
  const out = await daemon.run([...withHelper, ...berthCommand, 'logout', registry.host])
  expect(out.stdout).toBe(`Removing login credentials for ${registry.host}\n`)
  expect(await readFile(kept, 'utf8')).toBe('')
})
