/** berth-runtime's options, in the forms in which callers of runc and crun write them. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, Command } from './command.ts'

let command: Command

beforeAll(async () => {
  command = await Command.make()
  await mkdir(command.states)
})

afterAll(async () => {
  await command[Symbol.asyncDispose]()
})

const missing = {
  code: 1,
  stderr: "berth-runtime: container does not exist: 'nobody'\n",
}

test.each([
  ['--log', 'LOG', '--log-format', 'json', 'state', 'nobody'],
  ['--log=LOG', '--log-format=json', 'state', 'nobody'],
  ['-log', 'LOG', '-log-format=json', 'state', 'nobody'],
])('global options are taken as %s %s', async (...words) => {
  const log = join(command.root.path, `log-${words.length}-${words[0]?.length}`)
  expect(await command.run(...words.map((word) => word.replace('LOG', log)))).toMatchObject(missing)
  expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({
    level: 'error',
    msg: "container does not exist: 'nobody'",
  })
})

test.each([
  [['delete', '--force', 'nobody']],
  [['delete', '-f', 'nobody']],
  [['delete', '-force', 'nobody']],
  [['delete', 'nobody', '--force']],
  [['delete', '--force=true', '--', 'nobody']],
])('%s is content without a container', async (words) => {
  expect(await command.run(...words)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
})

test('a flag that is said to be false is not given', async () => {
  expect(await command.run('delete', '--force=false', 'nobody')).toMatchObject(missing)
})

test('letters stand together, and the last may have a value', async () => {
  expect((await command.run('list', '-qfjson')).code).toBe(0)
  expect((await command.run('list', '-qf', 'json')).code).toBe(0)
})

const wrong: readonly (readonly [readonly string[], string])[] = [
  [[], 'no verb is given; berth-runtime --help lists them'],
  [['--nosuch', 'list'], "unknown option '--nosuch'"],
  [['--root'], "option '--root' needs a value"],
  [['--root=', 'list'], '--root needs a directory'],
  [['--log-format', 'xml', 'list'], "unknown log format 'xml'; text and json are known"],
  [['--rootless', 'true', 'list'], '--rootless=true is not supported: this runtime needs root'],
  [['--cgroup-manager', 'disabled', 'list'], "unknown cgroup manager 'disabled'; cgroupfs and systemd are known"],
  [['nosuch'], "unknown verb 'nosuch'; berth-runtime --help lists them"],
  [['checkpoint', 'x'], "the verb 'checkpoint' is not supported"],
  [['restore', 'x'], "the verb 'restore' is not supported"],
  [['delete', '--bogus', 'x'], "delete: unknown option '--bogus'"],
  [['delete', '-fx', 'x'], "delete: unknown option '-fx'"],
  [['delete', '--force=maybe', 'x'], "delete: 'maybe' is neither true nor false"],
  [['delete'], 'delete: too few arguments; usage: berth-runtime delete [OPTION]... ID'],
  [['state', 'a', 'b'], 'state: too many arguments; usage: berth-runtime state [OPTION]... ID'],
  [['create', '--preserve-fds', 'two', 'x'], "create: 'two' is not a number"],
  [['create', '--detach', 'x'], "create: unknown option '--detach'"],
  [['list', '--format', 'yaml'], "list: invalid format option 'yaml'; table and json are known"],
  [['kill', 'x', 'NOSUCH'], 'unknown signal "NOSUCH"'],
  [['update', '--mem-bw-schema', 'x', 'y'], 'update: Intel RDT (--l3-cache-schema, --mem-bw-schema) is not supported'],
  [['update', '--memory', '12x', 'y'], "update: invalid value for --memory: '12x'"],
]

test.each(wrong)('%s is refused', async (words, sentence) => {
  expect(await command.run(...words)).toEqual({
    code: 1,
    stdout: '',
    stderr: `berth-runtime: ${sentence}\n`,
  })
})

test('systemd’s scopes are refused where it is not, not ignored', async () => {
  const { path, id } = await command.bundle('true')
  expect(await command.run('--systemd-cgroup', 'run', '--bundle', path, id)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/is not slice:prefix:name|needs a host with nothing but cgroup v2/),
  })
})

test.each([
  'create',
  'delete',
  'features',
  'kill',
  'list',
  'pause',
  'resume',
  'run',
  'spec',
  'start',
  'state',
  'update',
])('%s explains itself', async (verb) => {
  expect(await command.run(verb, '--help')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(`^Usage: berth-runtime ${verb} `),
    stderr: '',
  })
})

test.each([
  ['of characters that JSON has in six', '\u0001'.repeat(600)],
  ['that is cut within a character', 'é'.repeat(600)],
])('an error %s stays one whole line of the log', async (_, verb) => {
  const log = join(command.root.path, `log-of-${verb.charCodeAt(0)}`)
  await command.run('--log', log, '--log-format', 'json', verb)
  const { level, msg } = JSON.parse(await readFile(log, 'utf8')) as Record<string, string>
  expect(level).toBe('error')
  expect(msg).toMatch(`unknown verb '${verb.slice(0, 200)}`)
})

test('the log is text by default, and tells with --debug what was asked and how it ended', async () => {
  const log = join(command.root.path, 'debug.log')
  const answer: Answer = await command.run('--debug', '--log', log, 'kill', 'no"body', 'KILL')
  expect(answer.code).toBe(1)
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n')
  expect(lines.map((line) => line.replace(/^time="[^"]+" /, ''))).toEqual([
    String.raw`level=debug msg="kill no\"body KILL"`,
    String.raw`level=error msg="invalid container ID format: 'no\"body' (letters, digits and _+-. only)"`,
    'level=debug msg="exit status 1"',
  ])
})
