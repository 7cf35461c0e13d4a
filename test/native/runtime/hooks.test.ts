/** Hooks: what they are given, and what becomes of those that fail. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildRuntimeProgram } from '#test/support/native-program.ts'

const { errno } = constants
const execute = promisify(execFile)

interface Hook {
  readonly timeout?: number
  readonly path?: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
}

let directory: string
let driver: string

beforeAll(async () => {
  driver = await buildRuntimeProgram('hook_driver')
  directory = await mkdtemp('/var/tmp/berth-hooks-')
})

afterAll(() => rm(directory, { recursive: true, force: true }))

/** A hook that is a shell script. */
function script(text: string, more: Hook = {}): Hook {
  return { path: '/bin/sh', args: ['sh', '-c', text], ...more }
}

/** Python that writes down what it was started with. */
function program(): string {
  return [
    'import json, sys',
    `out = open("${directory}/out", "w")`,
    'json.dump({"arguments": sys.argv, "environment": open("/proc/self/environ").read()}, out)',
  ].join('\n')
}

async function run(hooks: readonly Hook[], how: 'one' | 'all' = 'one'): Promise<{ answer: string; output: string }> {
  const words = hooks.flatMap(({ timeout = 0, path = '/bin/sh', args = ['sh'], env = [] }) => [
    String(timeout),
    path,
    ...args,
    ...env.flatMap((entry) => ['-e', entry]),
    '--',
  ])
  const { stdout } = await execute(driver, [how, ...words])
  const [answer = '', ...rest] = stdout.split('\n')
  expect(rest).toEqual(['left 0 descriptors, no child', ''])
  return { answer, output: await readFile(join(directory, 'out'), 'utf8').catch(() => '') }
}

test('a hook gets the state on its stdin, also when it opens it again', async () => {
  const { answer, output } = await run([
    script(`cat > ${directory}/out; echo >> ${directory}/out; cat /dev/stdin >> ${directory}/out`),
  ])
  expect(answer).toBe('0 0 ')
  const state = '{"ociVersion":"1.2.0","id":"box","bundle":"/b","status":"creating","pid":42}'
  expect(output).toBe(`${state}\n${state}`)
})

test('a hook has exactly the arguments and the environment it was given', async () => {
  const { output } = await run([
    { path: '/usr/bin/python3', args: ['any name', '-c', program(), 'two words', ''], env: ['ONE=1', 'ONE=2', 'odd'] },
  ])
  expect(JSON.parse(output)).toEqual({ arguments: ['-c', 'two words', ''], environment: 'ONE=1\0ONE=2\0odd\0' })
})

test('a hook without an environment has an empty one', async () => {
  const { output } = await run([{ path: '/usr/bin/python3', args: ['python3', '-c', program()] }])
  expect(JSON.parse(output)).toEqual({ arguments: ['-c'], environment: '' })
})

test('a hook starts with no descriptor, blocked or ignored signal of the runtime', async () => {
  const { output } = await run([
    script(`ls /proc/self/fd > ${directory}/out; grep -E "^Sig(Blk|Ign)" /proc/self/status >> ${directory}/out`),
  ])
  expect(output).toBe('0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n') // 3 is ls reading the directory
})

test('the first hook that fails ends it, and is named with its last words', async () => {
  const { answer, output } = await run([
    script(`echo first > ${directory}/out`),
    script('echo something; printf "no \\033such device\\n\\n" >&2; exit 3'),
    script(`echo third >> ${directory}/out`),
  ])
  expect(answer).toBe(
    `${-errno.ECANCELED} ${errno.ECANCELED} createRuntime hook 1 '/bin/sh': exited with status 3: no  such device`,
  )
  expect(output).toBe('first\n')
})

test('where all must run a failure stops none, and the first is told', async () => {
  const { answer, output } = await run(
    [script('exit 4'), script('kill -TERM $$'), script(`echo third > ${directory}/out`)],
    'all',
  )
  expect(answer).toContain("createRuntime hook 0 '/bin/sh': exited with status 4")
  expect(output).toBe('third\n')
})

test('a hook that is killed tells the signal', async () => {
  const { answer } = await run([script('kill -KILL $$')])
  expect(answer).toContain("createRuntime hook 0 '/bin/sh': was killed by signal 9")
})

test('a hook that takes too long is killed with all it started', async () => {
  const fifo = join(directory, 'fifo')
  await execute('mkfifo', [fifo])
  // Both hold the fifo open for ever: reading it ends only when both are gone.
  const reader = readFile(fifo, 'utf8')
  const { answer } = await run([script(`exec 7> ${fifo}; sleep 1000 & sleep 1000`, { timeout: 1, path: '/bin/sh' })])
  expect(answer).toBe(
    `${-errno.ETIMEDOUT} ${errno.ETIMEDOUT} createRuntime hook 0 '/bin/sh': did not end within 1 s and was killed`,
  )
  expect(await reader).toBe('')
})

test('a hook that ends in time is not waited for longer, whoever keeps its output', async () => {
  const fifo = join(directory, 'kept')
  await execute('mkfifo', [fifo])
  const { answer } = await run([script(`cat ${fifo} & exit 0`, { timeout: 100 })])
  expect(answer).toBe('0 0 ')
  await writeFile(fifo, 'and so it ends')
})

test('a hook that says more than a pipe holds is not blocked by it', async () => {
  const { answer } = await run([script('yes | head -c 1000000; echo the end; exit 1')])
  expect(answer).toContain('exited with status 1: the end')
})

test.each([
  ['/no/such/hook', errno.ENOENT, 'no such file or directory'],
  ['/etc/passwd', errno.EACCES, 'permission denied'],
  ['/etc', errno.EACCES, 'permission denied'],
])('a hook that cannot be executed says why: %s', async (path, code, words) => {
  const { answer } = await run([{ path, args: [path] }])
  expect(answer).toBe(`${-code} ${code} createRuntime hook 0 '${path}': ${words}`)
})

test('a file without a format is told so', async () => {
  const path = join(directory, 'text')
  await writeFile(path, 'x', { mode: 0o755 })
  expect((await run([{ path, args: [path] }])).answer).toContain(`createRuntime hook 0 '${path}': exec format error`)
})
