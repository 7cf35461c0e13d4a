import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, '../../../src/main.ts')

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the client as a process, where no engine is. */
async function berth(args: readonly string[], { as = 'node' }: { as?: string } = {}): Promise<Ended> {
  const env = { PATH: process.env.PATH, HOME: '/nowhere', BERTH_HOST: 'unix:///nowhere/berth.sock' }
  const child = spawn(process.execPath, [program, ...args], { argv0: as, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { status: Number(status), stdout, stderr }
}

const unreachable = 'Cannot connect to the Berth daemon at unix:///nowhere/berth.sock. Is the berth daemon running?'

/** Words and status as docker 28 has them, under our name. */
test.concurrent.each([
  ['ps', 1, unreachable],
  ['run x', 125, `berth: ${unreachable}\n\nRun 'berth run --help' for more information`],
  ['create x', 1, unreachable],
  ['start x', 1, `${unreachable}\nError: failed to start containers: x`],
  ['rm a b', 1, `${unreachable}\n${unreachable}`],
  [
    'run',
    1,
    "berth: 'berth run' requires at least 1 argument\n\nUsage:  berth run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'berth run --help' for more information",
  ],
  [
    'container rename a',
    1,
    "berth: 'berth container rename' requires 2 arguments\n\nUsage:  berth container rename CONTAINER NEW_NAME\n\nRun 'berth container rename --help' for more information",
  ],
  [
    'ps a',
    1,
    "berth: 'berth ps' accepts no arguments\n\nUsage:  berth ps [OPTIONS]\n\nRun 'berth ps --help' for more information",
  ],
  [
    'run --foo x',
    125,
    "unknown flag: --foo\n\nUsage:  berth run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'berth run --help' for more information",
  ],
  [
    '-Z ps',
    125,
    "unknown shorthand flag: 'Z' in -Z\n\nUsage:  berth [OPTIONS] COMMAND [ARG...]\n\nRun 'berth --help' for more information",
  ],
  ['build .', 1, "berth: 'berth build' is not there yet\n\nRun 'berth --help' for what is"],
  ['image build x', 1, "berth: 'berth image build' is not there yet\n\nRun 'berth --help' for what is"],
  ['bogus', 1, "berth: unknown command: berth bogus\n\nRun 'berth --help' for more information"],
  [
    'container bogus',
    1,
    "berth: unknown command: berth container bogus\n\nUsage:  berth container\n\nRun 'berth container --help' for more information",
  ],
  [
    '-H unix:///a -H unix:///b ps',
    125,
    'invalid argument "unix:///b" for "-H, --host" flag: specify only one -H\n\nUsage:  berth [OPTIONS] COMMAND [ARG...]\n\nRun \'berth --help\' for more information',
  ],
  ['-H ssh:// ps', 1, 'Failed to initialize: ssh host connection is not valid: invalid SSH URL: hostname is empty'],
  ['-H npipe:// run x', 1, 'Failed to initialize: protocol not available'],
  ['-H foo://x ps', 1, 'Failed to initialize: unable to resolve docker endpoint: invalid bind address format: foo://x'],
  ['-c x -H unix:///a ps', 1, 'conflicting options: cannot specify both --host and --context'],
  ['pull A', 1, 'invalid reference format: repository name (library/A) must be lowercase'],
  [
    'run A',
    125,
    "berth: invalid reference format: repository name (library/A) must be lowercase\n\nRun 'berth run --help' for more information",
  ],
  ['run -it x', 1, 'the input device is not a TTY'],
  ['run -d -a stdout x', 1, 'conflicting options: cannot specify both --attach and --detach'],
  [
    'run --rm --restart always x',
    125,
    "berth: conflicting options: cannot specify both --restart and --rm\n\nRun 'berth run --help' for more information",
  ],
  [
    'run --pull foo x',
    125,
    'berth: invalid pull option: \'foo\': must be one of "always", "missing" or "never"\n\nRun \'berth run --help\' for more information',
  ],
] as const)('berth %s ends with %i and says why', async (line, status, message) => {
  expect(await berth(line.split(' '))).toEqual({ status, stdout: '', stderr: `${message}\n` })
})

test.concurrent('started as docker it speaks of docker', async () => {
  const { stderr } = await berth(['ps'], { as: '/usr/local/bin/docker' })
  expect(stderr).toBe(
    'Cannot connect to the Docker daemon at unix:///nowhere/berth.sock. Is the docker daemon running?\n',
  )
})

test.concurrent('version tells of the client even where no engine is', async () => {
  const { status, stdout, stderr } = await berth(['version'])
  expect(stdout).toMatch(/^Client: Berth\n Version: +\d+\.\d+\.\d+\n/)
  expect({ status, stderr }).toEqual({ status: 1, stderr: `${unreachable}\n` })
})

test.concurrent.each([
  ['--help'],
  ['help'],
  ['container --help'],
  ['run --help'],
  ['container ls --help'],
  ['help run'],
])('berth %s prints help', async (line) => {
  const { status, stdout, stderr } = await berth(line.split(' '))
  expect(stdout).toMatch(/^Usage: {2}berth /)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
