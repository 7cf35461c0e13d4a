import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'

const ownCommand = join(import.meta.dirname, '../../../build/native/berth-runtime')

async function docker(daemon: TestDaemon, ...args: string[]): Promise<string> {
  const result = await daemon.docker(...args)
  expect(result.code, JSON.stringify({ args, ...result })).toBe(0)
  return result.stdout.trim()
}

test('containers run by the runtime that they ask for', { timeout: 120_000 }, async () => {
  await using daemon = await startDaemon({
    args: ['--add-runtime', 'real-runc=/usr/sbin/runc', '--add-runtime', `command=${ownCommand}`],
  })
  const run = (...args: string[]) => docker(daemon, ...args)
  expect(await run('info', '--format', '{{json .Runtimes}} {{.DefaultRuntime}}')).toBe(
    `${JSON.stringify({
      berth: { path: 'berth' },
      command: { path: ownCommand },
      'real-runc': { path: '/usr/sbin/runc' },
    })} berth`,
  )
  const donor = await run('create', '--ipc', 'shareable', busybox)
  for (const runtime of ['real-runc', 'command']) {
    const joining = await daemon.docker('create', '--runtime', runtime, '--ipc', `container:${donor}`, busybox)
    expect(joining.stderr).toContain(`joining the IPC namespace of a container with the runtime ${runtime}`)
    const options = ['--runtime', runtime, '--memory', '64m', '--hostname', 'other']
    expect(await run('run', '--rm', ...options, busybox, 'sh', '-c', 'hostname; grep Seccomp: /proc/self/status')).toBe(
      'other\nSeccomp:\t2',
    )
    expect((await daemon.docker('run', '--rm', ...options, busybox, 'sh', '-c', 'exit 42')).code).toBe(42)
    const missing = await daemon.docker('run', '--rm', ...options, busybox, 'no-such-program')
    expect(missing.stderr).toContain('no-such-program')
    expect(missing.code).toBe(127)

    const id = await run(
      'run',
      '-d',
      ...options,
      busybox,
      'sh',
      '-c',
      'trap "exit 7" TERM; while :; do sleep 0.1; done',
    )
    expect(await run('inspect', '--format', '{{.HostConfig.Runtime}}', id)).toBe(runtime)
    expect(await run('exec', id, 'hostname')).toBe('other')
    expect((await daemon.docker('exec', id, 'sh', '-c', 'exit 3')).code).toBe(3)
    expect(await run('exec', '-t', id, 'tty')).toMatch(/^\/dev\/pts\/\d/)
    await run('pause', id)
    expect(await run('inspect', '--format', '{{.State.Status}}', id)).toBe('paused')
    await run('unpause', id)
    await daemon.kill9()
    await daemon.start()
    expect(await run('exec', id, 'echo', 'again')).toBe('again')
    await run('stop', id)
    expect(await run('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('7')
    await run('start', id)
    await run('rm', '-f', id)
  }
})

test('what a killed shim left to another runtime is deleted by that one', { timeout: 60_000 }, async () => {
  await using directory = await tempDirectory()
  const calls = join(directory.path, 'calls')
  const runtime = join(directory.path, 'runtime')
  await writeFile(runtime, `#!/bin/sh\necho "$*" >>${calls}\nexec /usr/sbin/runc "$@"\n`, { mode: 0o755 })
  await using daemon = await startDaemon({ args: ['--add-runtime', `recorded=${runtime}`] })
  for (const together of [false, true]) {
    const id = await docker(daemon, 'run', '-d', '--runtime', 'recorded', busybox, 'sleep', '1000')
    const pid = await docker(daemon, 'inspect', '--format', '{{.State.Pid}}', id)
    const shim = Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
    if (together) await daemon.kill9()
    process.kill(shim, 'SIGKILL')
    if (together) await daemon.start()
    await docker(daemon, 'wait', id)
    const lines = (await readFile(calls, 'utf8')).split('\n')
    expect(lines.filter((line) => line.endsWith(` delete --force ${id}`))).toHaveLength(1)
    expect(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone')).toMatch(/gone|\) [ZX]/)
    await docker(daemon, 'rm', id)
  }
})

test('a default runtime is taken by whoever names none; unknown ones are refused', async () => {
  await using daemon = await startDaemon({
    args: ['--add-runtime', 'real-runc=/usr/sbin/runc', '--default-runtime', 'real-runc'],
  })
  const id = await docker(daemon, 'run', '-d', busybox, 'sleep', '1000')
  expect(await docker(daemon, 'inspect', '--format', '{{.HostConfig.Runtime}}', id)).toBe('real-runc')
  expect((await daemon.docker('create', '--runtime', 'nonsense', busybox)).stderr).toContain(
    'unknown or invalid runtime name: nonsense',
  )
  await docker(daemon, 'rm', '-f', id)
})

test.each([
  [['--add-runtime', 'x'], 'invalid runtime value: x: it must be given as name=path'],
  [['--add-runtime', 'berth=/bin/true'], "runtime name 'berth' is reserved"],
  [['--add-runtime', 'x=relative'], "runtime 'x': 'relative' is not an absolute path"],
  [['--add-runtime', 'x=/nowhere/runc'], "runtime 'x' cannot be executed"],
  [['--default-runtime', 'x'], "specified default runtime 'x' does not exist"],
])('%s: a sentence, and no start', async (args, words) => {
  await expect(startDaemon({ withImage: false, args })).rejects.toThrow(words)
})
