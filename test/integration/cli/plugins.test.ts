/** Plugins with docker's CLI and with ours under the name docker, from the same directories. */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { busybox, type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { buildxPlugin, composePlugin, dockerCli } from '../../support/dockerd.ts'

const program = join(import.meta.dirname, '../../../src/main.ts')

let daemon: TestDaemon
let plugins: string
let ours: readonly string[]

const metadata = { SchemaVersion: '0.1.0', Vendor: 'Somebody', Version: '1.2', ShortDescription: 'Says what it gets' }

/** Tells what it was started with, reads its input, and ends with 7. */
const pluginScript = (answer: unknown): string => `#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then echo '${JSON.stringify(answer)}'; exit; fi
echo "$*"
echo "original=$(basename "$DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND") builder=$BUILDX_BUILDER host=$DOCKER_HOST"
cat
echo "to standard error" >&2
exit 7
`

beforeAll(async () => {
  vi.stubEnv('DOCKER_API_VERSION', '1.50')
  daemon = await startDaemon()
  plugins = join(daemon.directory, 'cli-plugins')
  const extra = join(daemon.directory, 'extra')
  await mkdir(plugins)
  await mkdir(extra)
  const add = async (directory: string, name: string, text: string, mode = 0o755) => {
    await writeFile(join(directory, name), text)
    await chmod(join(directory, name), mode)
  }
  await add(plugins, 'docker-hello', pluginScript(metadata))
  await add(extra, 'docker-hello', pluginScript({ ...metadata, URL: 'https://example.com' }))
  for (const name of ['ps', 'image', 'Upper', 'a-b']) await add(plugins, `docker-${name}`, pluginScript(metadata))
  await add(plugins, 'docker-fails', '#!/bin/sh\nexit 3\n')
  await add(plugins, 'docker-schema', pluginScript({ ...metadata, SchemaVersion: '2' }))
  await add(plugins, 'docker-vendor', pluginScript({ ...metadata, Vendor: '' }))
  await add(plugins, 'docker-noexec', pluginScript(metadata), 0o644)
  await add(plugins, 'other', pluginScript(metadata))
  await mkdir(join(plugins, 'docker-directory'))
  await symlink('/nowhere', join(plugins, 'docker-dangling'))
  await symlink(composePlugin(), join(plugins, 'docker-compose'))
  await symlink(buildxPlugin(), join(plugins, 'docker-buildx'))
  await writeFile(join(daemon.directory, 'config.json'), JSON.stringify({ cliPluginsExtraDirs: [extra] }))
  await symlink(process.execPath, join(daemon.directory, 'docker'))
  ours = [join(daemon.directory, 'docker'), '--', program]
  vi.stubEnv('NODE_COMPILE_CACHE', join(daemon.directory, 'compiled'))
  return async () => {
    await daemon[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
  }
})

async function both(
  line: string,
  input = '',
): Promise<{ readonly theirs: CommandResult; readonly mine: CommandResult }> {
  const words = line.split(' ')
  return {
    theirs: await daemon.run([dockerCli(), ...words], input),
    mine: await daemon.run([...ours, ...words], input),
  }
}

test.each([
  'hello',
  'hello a -b --c=d --help',
  '-H unix:///nowhere --log-level info -D hello a',
  'fails',
  'schema',
  'vendor',
  'noexec',
  'Upper',
  'a-b',
  'dangling',
  'directory',
  'other',
  'ps --nosuch',
  'image',
])('docker %s', async (line) => {
  const { theirs, mine } = await both(line, 'its input\n')
  // Help has our words.
  if (line === 'image') expect(mine.stdout).not.toContain('its input')
  else expect(mine).toEqual(theirs)
})

test('the list of plugins is docker’s, with what is wrong with the others', async () => {
  const { theirs, mine } = await both('info --format {{json .ClientInfo.Plugins}}')
  expect(mine).toEqual(theirs)
  const text = await both('info')
  const listed = (stdout: string) => /^ Plugins:\n(?: {2}.*\n)*/m.exec(stdout)?.[0]
  expect(listed(text.mine.stdout)).toContain('  hello: Says what it gets (Somebody)\n    Version:  1.2\n')
  expect(listed(text.mine.stdout)).toBe(listed(text.theirs.stdout))
  const warnings = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('WARNING: Plugin'))
  expect(warnings(text.mine.stderr)).toEqual(warnings(text.theirs.stderr))
})

test('help lists them beside the groups', async () => {
  const { theirs, mine } = await both('--help')
  const lines = (stdout: string) => stdout.split('\n').filter((line) => /^ {2}(hello\*|compose\*|buildx\*) /.test(line))
  const broken = (stdout: string) => /^Invalid Plugins:\n(?: .*\n)*/m.exec(stdout)?.[0]
  expect(lines(mine.stdout)).toHaveLength(3)
  expect(lines(mine.stdout).map((line) => line.trim().split(/\s+/))).toEqual(
    lines(theirs.stdout).map((line) => line.trim().split(/\s+/)),
  )
  expect(broken(mine.stdout)).toBe(broken(theirs.stdout))
})

test('a plugin finds our engine where nobody has named one, and the one of BERTH_HOST', async () => {
  const run = (...env: readonly string[]) => daemon.run(['env', '-u', 'DOCKER_HOST', ...env, ...ours, 'hello'])
  expect((await run('-u', 'BERTH_HOST')).stdout).toContain('host=unix:///run/berth/berth.sock\n')
  expect((await run('BERTH_HOST=unix:///a')).stdout).toContain('host=unix:///a\n')
  expect((await run('-u', 'BERTH_HOST', 'DOCKER_CONTEXT=far')).stdout).toContain('host=\n')
})

test('builds are buildx’s, for the context in use unless a builder is named', async () => {
  for (const line of ['build --help', 'image build --help', 'builder --help', 'buildx version', 'compose version']) {
    const { theirs, mine } = await both(line)
    expect({ line, ...mine }).toEqual({ line, ...theirs })
    expect(mine.code).toBe(0)
  }
})

test('compose as a command of ours brings a project up and down', async () => {
  const file = join(daemon.directory, 'compose.yaml')
  const service = { image: busybox, command: ['sleep', '600'] }
  await writeFile(file, JSON.stringify({ name: 'plugged', services: { one: service }, volumes: { data: {} } }))
  const compose = (...words: readonly string[]) => daemon.run([...ours, 'compose', '-f', file, ...words])
  const up = await compose('up', '-d')
  expect({ up, code: up.code }).toMatchObject({ code: 0 })
  const listed = await compose('ps', '--format', '{{.Service}} {{.State}}')
  expect(listed.stdout).toBe('one running\n')
  expect((await compose('exec', '-T', 'one', 'echo', 'inside')).stdout).toBe('inside\n')
  expect(await compose('exec', '-T', 'one', 'sh', '-c', 'exit 9')).toMatchObject({ code: 9 })
  expect(await compose('down')).toMatchObject({ code: 0 })
})
