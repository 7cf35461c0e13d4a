/** Debian's podman runs, enters, limits, stops and removes containers with berth-runtime as its runtime. */
import { mkdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTerminal } from '../../support/terminal.ts'
import { Podman } from './podman.ts'

let podman: Podman

beforeAll(async () => {
  podman = await Podman.start()
})

afterAll(async () => {
  await podman[Symbol.asyncDispose]()
})

const run = ['run', '--rm', '--network', 'none'] as const
const shell = (...words: readonly string[]): string[] => [
  ...run,
  ...words.slice(0, -1),
  'busybox',
  'sh',
  '-c',
  words.at(-1) ?? '',
]

test('output, errors and exit code are those of the command', async () => {
  expect(await podman.run(...shell('echo out; echo err >&2; exit 7'))).toEqual({
    code: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  })
})

test('podman understands why a program cannot be executed', async () => {
  expect(await podman.run(...run, 'busybox', 'nosuch')).toMatchObject({
    code: 127,
    stderr: expect.stringContaining('executable file not found in $PATH'),
  })
  expect(await podman.run(...run, 'busybox', '/etc')).toMatchObject({ code: 126 })
})

test('a detached container is entered, limited, paused, listed, stopped and removed', async () => {
  const limits = ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '33']
  const script = 'trap "exit 5" TERM; echo started; while :; do sleep 0.05; done'
  await podman.get('run', '-d', '--name', 'one', '--network', 'none', ...limits, 'busybox', 'sh', '-c', script)
  expect(await podman.run('exec', 'one', 'sh', '-c', 'echo $0; exit 3')).toMatchObject({ code: 3, stdout: 'sh\n' })
  expect(await podman.run('exec', 'one', 'nosuch')).toMatchObject({ code: 127 })
  expect(
    (
      await podman.get(
        'exec',
        '--user',
        '7:8',
        '--workdir',
        '/tmp',
        '--env',
        'A=b',
        'one',
        'sh',
        '-c',
        'id -u; id -g; pwd; echo $A',
      )
    ).split('\n'),
  ).toEqual(['7', '8', '/tmp', 'b', ''])
  const pid = (await podman.get('inspect', '--format', '{{.State.Pid}}', 'one')).trim()
  const limitOf = async (v1: string, v2: string): Promise<string> =>
    podman.get('exec', 'one', 'sh', '-c', `cd /sys/fs/cgroup; cat ${v1} 2>/dev/null || cat ${v2}`)
  expect(await limitOf('pids/pids.max', 'pids.max')).toBe('33\n')
  expect(await limitOf('memory/memory.limit_in_bytes', 'memory.max')).toBe(`${64 << 20}\n`)
  expect(await limitOf('cpu/cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000\b/)
  expect(await podman.get('logs', 'one')).toBe('started\n')
  expect(await podman.get('top', 'one', 'hpid')).toContain(pid)
  await podman.get('pause', 'one')
  expect(await podman.get('ps', '--all', '--format', '{{.Status}}')).toBe('Paused\n')
  await podman.get('unpause', 'one')
  await podman.get('stop', '--time', '60', 'one')
  expect(await podman.get('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'one')).toBe('exited 5\n')
  await podman.get('start', 'one')
  await podman.get('kill', 'one')
  await podman.get('wait', 'one')
  await podman.get('rm', 'one')
  expect(await podman.get('ps', '--all', '--quiet')).toBe('')
})

test('a terminal of run and of exec is the container’s', async () => {
  const options = { env: podman.env, rows: 31, columns: 97 }
  {
    // podman tells conmon the size when it has attached, which may be after the start; and conmon may read what is printed at
    // once before it takes podman's connection, which then never sees it.
    await using terminal = await openTerminal(
      podman.argv(
        ...shell(
          '-it',
          'read first; until stty size 2>/dev/null; do sleep 0.1; done; read line; echo "got $line"; exit 4',
        ),
      ),
      options,
    )
    terminal.write('go\n')
    await terminal.until('31 97')
    terminal.write('word\n')
    await terminal.until('got word')
    expect((await terminal.end()).status).toBe(4)
  }
  await podman.get('run', '-d', '--name', 'two', '--network', 'none', 'busybox', 'sleep', '1000')
  await using terminal = await openTerminal(podman.argv('exec', '-it', 'two', 'sh', '-c', 'tty; exit 6'), options)
  await terminal.until('/dev/pts/')
  expect((await terminal.end()).status).toBe(6)
  await podman.get('rm', '--force', '--time', '0', 'two')
})

test('file systems are read-only, temporary and the host’s as asked', async () => {
  const shared = join(podman.path, 'shared')
  await mkdir(shared)
  await writeFile(join(shared, 'in'), 'from the host\n')
  const script =
    'touch /x 2>/dev/null || echo read-only; touch /scratch/y && echo scratch; cat /shared/in; echo back > /shared/out'
  const options = ['--read-only', '--tmpfs', '/scratch', '-v', `${shared}:/shared`]
  expect(await podman.get(...shell(...options, script))).toBe('read-only\nscratch\nfrom the host\n')
  expect(await readFile(join(shared, 'out'), 'utf8')).toBe('back\n')
})

test('capabilities and the seccomp profile are what is asked for', async () => {
  const status = async (...options: readonly string[]): Promise<string> =>
    podman.get(...shell(...options, 'cat /proc/self/status'))
  expect(await status('--cap-drop', 'all')).toMatch(/CapEff:\s+0{16}\n/)
  expect(await status()).toMatch(/Seccomp:\s+2\n/)
  const profile = join(podman.path, 'seccomp.json')
  await writeFile(
    profile,
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 31 }],
    }),
  )
  expect(await podman.run(...shell('--security-opt', `seccomp=${profile}`, 'mkdir /tmp/x'))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Too many links'),
  })
})

test('hooks of podman’s directory run with the container’s state', async () => {
  const log = join(podman.path, 'hooks.log')
  const program = join(podman.path, 'hook.sh')
  await writeFile(program, `#!/bin/sh\necho "$1 $(cat)" >> ${log}\n`, { mode: 0o755 })
  const stages = ['prestart', 'createRuntime', 'poststart', 'poststop']
  for (const stage of stages)
    await writeFile(
      join(podman.path, 'hooks', `${stage}.json`),
      JSON.stringify({
        version: '1.0.0',
        hook: { path: program, args: ['hook.sh', stage] },
        when: { annotations: { '^hooked$': 'yes' } },
        stages: [stage],
      }),
    )
  await podman.get(...shell('--annotation', 'hooked=yes', 'true'))
  const seen = (await readFile(log, 'utf8')).trimEnd().split('\n')
  expect(seen.map((line) => line.split(' ')[0])).toEqual(stages)
  expect(JSON.parse(seen[0]?.replace('prestart ', '') ?? '')).toMatchObject({
    ociVersion: expect.any(String),
    pid: expect.any(Number),
  })
})

test('namespaces are the host’s, another container’s or a pod’s', async () => {
  expect((await podman.get(...shell('--pid', 'host', 'readlink /proc/self/ns/pid'))).trim()).toBe(
    await readlink('/proc/self/ns/pid'),
  )
  await podman.get('run', '-d', '--name', 'first', '--network', 'none', 'busybox', 'sleep', '1000')
  expect(
    await podman.get('run', '--rm', '--network', 'container:first', '--pid', 'container:first', 'busybox', 'ps'),
  ).toContain('sleep 1000')
  await podman.get(
    'pod',
    'create',
    '--name',
    'pod',
    '--network',
    'none',
    '--infra-image',
    'busybox',
    '--infra-command',
    'sleep 1000',
  )
  await podman.get('run', '-d', '--pod', 'pod', '--name', 'member', 'busybox', 'sleep', '1000')
  const namespaceOf = async (name: string, kind: string): Promise<string> =>
    podman.get('exec', name, 'readlink', `/proc/self/ns/${kind}`)
  const infra = (await podman.get('pod', 'inspect', '--format', '{{.InfraContainerID}}', 'pod')).trim()
  for (const kind of ['net', 'ipc', 'uts'])
    expect(await namespaceOf('member', kind)).toBe(await namespaceOf(infra, kind))
  expect(await namespaceOf('member', 'mnt')).not.toBe(await namespaceOf(infra, 'mnt'))
  await podman.get('pod', 'rm', '--force', '--time', '0', 'pod')
  await podman.get('rm', '--force', '--time', '0', 'first')
})

test('--init puts a reaper above the command', async () => {
  expect(await podman.get(...run, '--init', 'busybox', 'sh', '-c', 'tr "\\0" " " < /proc/1/cmdline')).toMatch(
    /init.* -- sh/,
  )
})
