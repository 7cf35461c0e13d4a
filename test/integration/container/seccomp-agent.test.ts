/** A seccomp profile of the user's own may leave the decision to an agent. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { buildRuntimeProgram } from '../../support/native-program.ts'

/** EDOM, which mkdir never answers by itself. */
const answer = 33

let program: string
let daemon: TestDaemon
beforeAll(async () => {
  program = await buildRuntimeProgram('seccomp_agent')
  daemon = await startDaemon({ args: ['--add-runtime', 'real-runc=/usr/sbin/runc'] })
  return () => daemon[Symbol.asyncDispose]()
})

/** runc of some years ago knows no flags. */
test.each([
  ['berth', { flags: ['SECCOMP_FILTER_FLAG_LOG'] }],
  ['real-runc', {}],
])('the agent answers for containers of %s and their execs', async (runtime, more) => {
  const listenerPath = join(daemon.directory, `agent-${runtime}`)
  const agent = spawn(program, [listenerPath, String(answer)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(agent, 'exit')
  const lines = createInterface(agent.stdout)[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('listening')

  const file = join(daemon.directory, 'profile.json')
  const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }]
  await writeFile(
    file,
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls,
      ...more,
      listenerPath,
      listenerMetadata: 'of the test',
    }),
  )
  const options = ['--runtime', runtime, '--network', 'none', '--name', 'asked', '--security-opt', `seccomp=${file}`]
  expect(await daemon.docker('run', '-d', ...options, busybox, 'sleep', '1000')).toMatchObject({ code: 0, stderr: '' })
  const { stderr } = await daemon.docker('exec', 'asked', 'mkdir', '/tmp/made')
  expect(stderr).toContain("can't create directory '/tmp/made': Numerical argument out of domain")
  const states = [JSON.parse((await lines.next()).value ?? ''), JSON.parse((await lines.next()).value ?? '')]
  expect(states).toMatchObject([
    { metadata: 'of the test', state: { status: 'creating' } },
    { metadata: 'of the test', state: { status: 'running', pid: states[0].pid } },
  ])
  await daemon.docker('rm', '-f', 'asked')
  agent.stdin.end()
  await ended
})
