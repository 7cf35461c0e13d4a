/** Contexts with docker's CLI and with ours under the name docker: the same words, the same files, and each reads what the other writes. */

import { execFile } from 'node:child_process'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { unpackContext } from '#cli/contexts/archive.ts'
import { dockerCli } from '../../support/dockerd.ts'
import { tempDirectory } from '../../support/temp.ts'
import { makeAuthority, makeCertificate } from '../../support/tls.ts'

const program = join(import.meta.dirname, '../../../src/main.ts')

let directory: string
let ours: readonly string[]
let theirs: readonly string[]

beforeAll(async () => {
  const temporary = await tempDirectory('berth-contexts-')
  directory = temporary.path
  const renamed = join(directory, 'docker')
  await symlink(process.execPath, renamed)
  ours = [renamed, '--', program]
  theirs = [dockerCli()]
  const authority = await makeAuthority(directory, 'authority')
  const { cert, key } = await authority.issue('client', 'clientAuth')
  await mkdir(join(directory, 'other'))
  const other = await makeCertificate(join(directory, 'other'))
  files = { $CA: authority.file, $CERT: cert, $KEY: key, $OTHER: other.keyFile }
  vi.stubEnv('NODE_COMPILE_CACHE', join(directory, 'compiled'))
  return async () => {
    await temporary[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
  }
})

let files: Readonly<Record<string, string>>

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** A command line in a directory of its own, which is also that of config.json; the directory's name is not shown. */
function run(command: readonly string[], home: string, line: string): Promise<Ended> {
  const words = [...line.matchAll(/'([^']*)'|[^\s']+/g)].map(([word, quoted]) => quoted ?? word)
  const [variables, rest] = [
    words.filter((word) => /^[A-Z_]+=/.test(word)),
    words.filter((word) => !/^[A-Z_]+=/.test(word)),
  ]
  const filled = rest.map((word) => word.replaceAll(/\$[A-Z]+/g, (name) => files[name] ?? name))
  const env: NodeJS.ProcessEnv = { ...process.env, DOCKER_CONFIG: home }
  for (const name of ['DOCKER_HOST', 'BERTH_HOST', 'DOCKER_CONTEXT']) delete env[name]
  for (const variable of variables) env[variable.split('=', 1)[0] ?? ''] = variable.slice(variable.indexOf('=') + 1)
  const [file = '', ...args] = [...command, ...filled]
  const { promise, resolve } = Promise.withResolvers<Ended>()
  const child = execFile(file, args, { env, cwd: home, encoding: 'utf8' }, (_error, stdout, stderr) => {
    const hide = (text: string) => hideOwn(text.replaceAll(home, '/HOME')).replaceAll(/ {2,}/g, '  ')
    resolve({ status: child.exitCode ?? -1, stdout: hide(stdout), stderr: hide(stderr) })
  })
  child.stdin?.end()
  return promise
}

async function newHome(): Promise<string> {
  const home = join(directory, `home-${homes++}`)
  await mkdir(home)
  return home
}
let homes = 0

/** Everything that a command has left, by path: mode and content; of an archive what is in it. */
async function treeOf(home: string): Promise<Record<string, unknown>> {
  const paths = readdirSync(home, { recursive: true, encoding: 'utf8' })
    .filter((path) => !/(^|\/)\.lock$/.test(path))
    // docker leaves an empty file of an export that it could not make.
    .filter((path) => statSync(join(home, path)).size > 0)
  const entries = paths.map(async (path) => {
    const mode = statSync(join(home, path)).mode & 0o7777
    return [path, { mode: mode.toString(8), content: await contentOf(join(home, path)) }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function contentOf(path: string): Promise<unknown> {
  if (statSync(path).isDirectory()) return undefined
  if (/\.(tar|dockercontext)$/.test(path)) {
    const { context, tls } = await unpackContext(createReadStream(path))
    return { context: JSON.parse(hideOwn(JSON.stringify(context))), tls }
  }
  const text = readFileSync(path, 'utf8')
  return path.endsWith('config.json') ? { auths: {}, ...JSON.parse(text) } : hideOwn(text)
}

/** Each has an engine of its own where none is named. */
function hideOwn(text: string): string {
  return text.replaceAll(/unix:\/\/\/(var\/run\/docker|run\/berth\/berth)\.sock/g, 'OWN')
}

/** Each line starts two programs, on machines that have other work. */
const patienceMs = 400_000

const scripts: Readonly<Record<string, readonly string[]>> = {
  'making and showing': [
    'context ls',
    'context show',
    'context inspect',
    "context create far --docker host=tcp://1.2.3.4:2376 --description 'far & <away>'",
    'context create far --docker host=tcp://h',
    'context create near --docker host=unix:///run/x.sock',
    'context create over --docker host=ssh://u@h:22/run/x.sock',
    'context create same --docker from=far',
    'context create same2 --from far',
    "context create same3 --from far --description 'not so far'",
    'context create mine',
    'context create mine2 --from default --description own',
    'context create open --docker host=tcp://h:1,skip-tls-verify=true',
    'context create none --docker ca=$CA',
    'context ls',
    'context list -q',
    'context ls --format json',
    'context ls --format table',
    "context ls --format '{{.Name}} {{.Current}} {{.Description}} {{.DockerEndpoint}} {{.Error}}'",
    'context ls extra',
    'context inspect far',
    'context inspect far near nosuch',
    'context inspect nosuch',
    "context inspect -f '{{.Name}} {{.Endpoints.docker.Host}}' far",
    'context inspect -f json far',
    "context inspect -f '{{json .TLSMaterial}} {{.Storage.TLSPath}}' far",
  ],
  moving: [
    'context create far --docker host=tcp://1.2.3.4:2376',
    'context create mine',
    'context export far',
    'context export far',
    'context export mine x.tar',
    'context export nosuch y.tar',
    'context export default z.tar',
    'context import again far.dockercontext',
    'context import again far.dockercontext',
    'context import default far.dockercontext',
    'context import nothing nosuch.tar',
    'context inspect again',
  ],
  'using, removing, changing': [
    'context create far --docker host=tcp://1.2.3.4:2376 --description x',
    'context create near --docker host=unix:///run/x.sock',
    'context create over --docker host=ssh://u@h:22/run/x.sock',
    'context create same --docker from=far',
    'context create same2 --from far',
    'context create same3 --from far',
    'context create mine',
    'context use far',
    'context use far',
    'context show',
    'context ls',
    'DOCKER_CONTEXT=near context show',
    'DOCKER_CONTEXT=near context use over',
    '-c near context show',
    'DOCKER_HOST=tcp://h context ls',
    'DOCKER_HOST=tcp://h context show',
    'DOCKER_HOST=tcp://h context use near',
    'DOCKER_HOST=tcp://h context use default',
    'context use far',
    'context use nosuch',
    'context rm far',
    'context rm near nosuch default over',
    'context rm -f nosuch',
    'context rm -f far same',
    'context ls',
    'context update same2 --description new',
    'context update same2 --docker host=unix:///y',
    'context update same3 --docker from=mine',
    'context update default --description x',
    'context update nosuch --description x',
    'context update same2 --docker host=nosuch',
    'context ls',
    '-c nosuch context ls',
    '-c nosuch ps',
    '-c same2 ps',
    "-c same2 version -f '{{.Client.Context}}'",
    'DOCKER_CONTEXT=nosuch ps',
  ],
  'with TLS': [
    'context create tls --docker host=tcp://h:1,ca=$CA,cert=$CERT,key=$KEY',
    'context inspect tls',
    'context create copy --from tls --description copied',
    "context inspect copy -f '{{json .TLSMaterial}}'",
    'context export tls t.tar',
    'context import back t.tar',
    "context inspect back -f '{{json .TLSMaterial}}'",
    'context update copy --docker host=unix:///z',
    "context inspect copy -f '{{json .TLSMaterial}}'",
    'context update back --docker host=tcp://h:1,ca=$CA',
    'context rm tls copy',
    '--tls --tlscacert $CA -H tcp://h:1 context inspect',
    '--tls --tlscacert $CA -H tcp://h:1 context create flags',
    'context inspect flags',
    '--tls context ls',
    '-H foo://x context ls',
    'context create bad --docker host=tcp://h:1,ca=$CA,cert=$CERT,key=$OTHER',
    'context create bad --docker host=tcp://h:1,ca=/etc/passwd',
    'context create bad --docker host=tcp://h:1,ca=$CA,cert=$CERT,key=$CERT',
    'context create bad --docker host=tcp://h:1,ca=$CA,cert=$CERT,key=/etc/passwd',
    'context create bad --docker ca=/nosuch',
  ],
  'what cannot be': [
    'context create',
    'context create a b',
    'context create default',
    'context create x',
    "context create ''",
    'context create a/b',
    'context create gh --docker host=nosuch',
    'context create gh --docker hos=x',
    'context create gh --docker host',
    'context create gh --docker skip-tls-verify=x',
    'context create gh --docker host=ssh://u:p@h',
    'context create gh --docker from=nosuch',
    'context create gh --from nosuch',
    'context create gh --from default --docker host=x',
    'context update x',
    'context update',
    'context export x',
    'context import only-one',
    'context rm',
    'context show x',
    'context nosuch',
    'context ls --nosuch',
  ],
}

test.each(Object.entries(scripts))(
  '%s',
  async (_name, lines) => {
    const [their, mine] = [await newHome(), await newHome()]
    for (const line of lines) {
      const [expected, got] = await Promise.all([run(theirs, their, line), run(ours, mine, line)])
      expect({ line, ...got }).toEqual({ line, ...expected })
    }
    expect(await treeOf(mine)).toEqual(await treeOf(their))
  },
  patienceMs,
)

test('each reads what the other has written', async () => {
  const home = await newHome()
  const write = async (command: readonly string[], name: string) => {
    const made = `context create ${name} --docker host=tcp://h:1,ca=$CA,cert=$CERT,key=$KEY --description`
    expect(await run(command, home, `${made} '${name} "<&>" é'`)).toMatchObject({ status: 0 })
    expect(await run(command, home, `context export ${name}`)).toMatchObject({ status: 0 })
  }
  await write(theirs, 'docker')
  await write(ours, 'berth')
  expect(await run(theirs, home, 'context import from-berth berth.dockercontext')).toMatchObject({ status: 0 })
  expect(await run(ours, home, 'context import from-docker docker.dockercontext')).toMatchObject({ status: 0 })
  for (const use of [theirs, ours]) {
    await run(use, home, `context use ${use === ours ? 'berth' : 'docker'}`)
    for (const line of ['context ls', 'context show', 'context inspect docker berth from-berth from-docker']) {
      expect(await run(ours, home, line)).toEqual(await run(theirs, home, line))
    }
  }
})

test('what other programs keep in a context stays there', async () => {
  const home = await newHome()
  await run(ours, home, 'context create shared --docker host=unix:///x')
  const [id = ''] = readdirSync(join(home, 'contexts/meta'))
  const path = join(home, 'contexts/meta', id, 'meta.json')
  const metadata = { Description: 'old', GODEBUG: 'x=1', More: [1] }
  const endpoints = {
    docker: { Host: 'unix:///x', SkipTLSVerify: false },
    other: { Host: 'tcp://o', SkipTLSVerify: true },
  }
  await writeFile(path, JSON.stringify({ Name: 'shared', Metadata: metadata, Endpoints: endpoints }))
  await run(ours, home, 'context update shared --description new')
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    Name: 'shared',
    Metadata: { ...metadata, Description: 'new' },
    Endpoints: endpoints,
  })
})

test('an archive goes to standard output and comes from standard input', async () => {
  const home = await newHome()
  await run(ours, home, 'context create piped --docker host=unix:///x,ca=$CA')
  const command = ours.map((word) => `'${word}'`).join(' ')
  const piped = `${command} context export piped - | ${command} context import arrived -`
  expect(await run(['sh', '-c', piped], home, '')).toMatchObject({ status: 0, stdout: 'arrived\n' })
  const shown = await run(ours, home, "context inspect -f '{{json .Endpoints}} {{json .TLSMaterial}}' piped arrived")
  const [first, second] = shown.stdout.trim().split('\n')
  expect(second).toBe(first)
})
