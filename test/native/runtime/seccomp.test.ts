/** Filters in the kernel: what each action, operator and flag does to a process, and who is told of notifications. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readdir, readlink } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildRuntimeProgram } from '#test/support/native-program.ts'
import { Command } from './command.ts'
import { BusyboxRoot, type ContainerOptions } from './container.ts'

const { errno } = constants
let root: BusyboxRoot
let agentProgram: string

beforeAll(async () => {
  root = await BusyboxRoot.make()
  agentProgram = await buildRuntimeProgram('seccomp_agent')
  await copyFile(await buildRuntimeProgram('probe'), join(root.rootfs, 'bin/probe'))
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

const [getpgid, getsid] = process.arch === 'arm64' ? [155, 156] : [121, 124]

/** A profile that allows everything but says this of getpgid. */
function about(rule: object, more: object = {}): object {
  return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getpgid'], ...rule }], ...more }
}

async function failureOf(options: ContainerOptions): Promise<string> {
  const { failures, exitCode } = await root.run(options)
  expect(exitCode).toBeUndefined()
  expect(failures).toHaveLength(1)
  return failures[0]?.text ?? ''
}

describe.each([false, true])('no_new_privs %s:', (noNewPrivileges) => {
  const attributes = { noNewPrivileges }

  test.each([
    [{ action: 'SCMP_ACT_ERRNO' }, `${errno.EPERM}\n`, 0],
    [{ action: 'SCMP_ACT_ERRNO', errnoRet: 77 }, '77\n', 0],
    [{ action: 'SCMP_ACT_ERRNO', errnoRet: 0 }, '0\n', 0],
    [{ action: 'SCMP_ACT_TRAP' }, 'trapped\n', 0],
    [{ action: 'SCMP_ACT_TRACE', errnoRet: 65535 }, `${errno.ENOSYS}\n`, 0], // nobody traces
    [{ action: 'SCMP_ACT_LOG' }, '0\n', 0],
    [{ action: 'SCMP_ACT_ALLOW' }, '0\n', 0],
    [{ action: 'SCMP_ACT_KILL' }, '', 128 + constants.signals.SIGSYS],
    [{ action: 'SCMP_ACT_KILL_THREAD' }, '', 128 + constants.signals.SIGSYS],
    [{ action: 'SCMP_ACT_KILL_PROCESS' }, '', 128 + constants.signals.SIGSYS],
  ])('%j', async (rule, output, code) => {
    const result = await root.run({
      run: ['probe', String(getpgid), '0'],
      process: attributes,
      seccomp: about(rule),
    })
    expect(result).toMatchObject({ failures: [], output, exitCode: code })
  })
})

test('the default has an errno of its own', async () => {
  const allowed = ['getpgid', 'execve', 'write', 'exit_group', 'read', 'recvmsg', 'sendmsg', 'brk', 'mmap', 'ioctl']
  const more = ['rt_sigaction', 'rt_sigprocmask', 'arch_prctl', 'set_tid_address', 'writev', 'mprotect', 'munmap']
  const { output } = await root.run({
    run: ['probe', String(getsid), '0'],
    process: { noNewPrivileges: true },
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 66,
      syscalls: [{ names: [...allowed, ...more, 'seccomp', 'no_such_call', 'clone3'], action: 'SCMP_ACT_ALLOW' }],
    },
  })
  expect(output).toBe('66\n')
})

test.each([
  ['SCMP_CMP_EQ', 5, undefined, [5], [4, 6, 4294967301]],
  ['SCMP_CMP_NE', 5, undefined, [4, 4294967301], [5]],
  ['SCMP_CMP_LT', 5, undefined, [4, 0], [5, 4294967300]],
  ['SCMP_CMP_LE', 5, undefined, [5, 4], [6, 4294967300]],
  ['SCMP_CMP_GE', 5, undefined, [5, 4294967296], [4]],
  ['SCMP_CMP_GT', 5, undefined, [6, 4294967296], [5]],
  ['SCMP_CMP_GT', 4294967301, undefined, [4294967302], [4294967301, 6]],
  ['SCMP_CMP_MASKED_EQ', 0xf0, 0x20, [0x25, 0x120], [0x35, 0x5]],
])('%s %d (%s) holds for %j and not for %j', async (op, value, valueTwo, holds, others) => {
  const { output } = await root.run({
    run: [...holds, ...others].map((argument) => `probe ${getpgid} ${argument}`).join('; '),
    seccomp: about({ action: 'SCMP_ACT_ERRNO', errnoRet: 77, args: [{ index: 0, value, valueTwo, op }] }),
  })
  const seen = output.trim().split('\n')
  expect(seen.slice(0, holds.length)).toEqual(holds.map(() => '77'))
  expect(seen.slice(holds.length)).not.toContain('77')
})

test.each([
  [['SECCOMP_FILTER_FLAG_LOG']],
  [['SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_TSYNC']],
  [['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']],
])('the flags %j are taken', async (flags) => {
  const { output, failures } = await root.run({
    run: `probe ${getpgid} 0`,
    seccomp: about({ action: 'SCMP_ACT_ERRNO', errnoRet: 77 }, { flags }),
  })
  expect([output, failures]).toEqual(['77\n', []])
})

test('every architecture of the runtime-spec is understood, whether or not this machine could run it', async () => {
  const names =
    'X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE'
  const more = 'S390 S390X SH SHEB PARISC PARISC64 RISCV64'
  const architectures = `${names} ${more}`.split(' ').map((name) => `SCMP_ARCH_${name}`)
  const { output, failures } = await root.run({
    run: `probe ${getpgid} 0`,
    seccomp: about({ action: 'SCMP_ACT_ERRNO', errnoRet: 77 }, { architectures }),
  })
  expect([output, failures]).toEqual(['77\n', []])
})

test('a filter that kills the start is blamed for it', async () => {
  const syscalls = [{ names: ['execve', 'write', 'exit_group'], action: 'SCMP_ACT_ALLOW' }]
  expect(await failureOf({ seccomp: { defaultAction: 'SCMP_ACT_KILL', syscalls } })).toBe(
    'the new process was killed before it was ready (by its seccomp filter, which forbids what a start needs)',
  )
})

const notify = { action: 'SCMP_ACT_NOTIFY' }

test.each([
  [about({ action: 'SCMP_ACT_X' }), "seccomp.syscalls[0].action: unknown action 'SCMP_ACT_X'"],
  [about({ action: 'SCMP_ACT_ERRNO', errnoRet: 4096 }), 'seccomp.syscalls[0].errnoRet: 4096 is not between 0 and 4095'],
  [
    about({ action: 'SCMP_ACT_ERRNO', args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] }),
    'seccomp.syscalls[0].args[0].index: 6 is not between 0 and 5',
  ],
  [
    about({ action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_X' }] }),
    "seccomp.syscalls[0].args[0].op: unknown operator 'SCMP_CMP_X'",
  ],
  [about({}, { architectures: ['SCMP_ARCH_VAX'] }), "seccomp.architectures[0]: unknown architecture 'SCMP_ARCH_VAX'"],
  [
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ action: 'SCMP_ACT_ERRNO' }] },
    'seccomp.syscalls[0].names: is missing',
  ],
  [
    about({ action: 'SCMP_ACT_ALLOW' }, { flags: ['SECCOMP_FILTER_FLAG_X'] }),
    "linux.seccomp.flags[0]: unknown flag 'SECCOMP_FILTER_FLAG_X'",
  ],
  [
    { defaultAction: 'SCMP_ACT_NOTIFY' },
    'seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default: the listener itself comes to the agent by system calls',
  ],
  [
    about({ ...notify, names: ['read', 'write'] }, { listenerPath: '/x' }),
    "seccomp.syscalls[0].names[1]: 'write' cannot be notified: the listener itself comes to the agent by it",
  ],
  [about(notify), 'linux.seccomp.listenerPath: is missing, but SCMP_ACT_NOTIFY is used'],
  [
    about({ action: 'SCMP_ACT_ALLOW' }, { listenerMetadata: 'x' }),
    'linux.seccomp.listenerPath: is missing, but there is listenerMetadata',
  ],
  [about(notify, { listenerPath: 'x' }), "linux.seccomp.listenerPath: 'x' is not an absolute path"],
  [
    about(notify, { listenerPath: `/${'x'.repeat(108)}` }),
    'linux.seccomp.listenerPath: is longer than 107 bytes, which no socket’s path may be'.replace('’', "'"),
  ],
  [about(notify, { listenerPath: '/no/such/agent' }), "connect to the seccomp agent at '/no/such/agent'"],
])('%j is refused', async (seccomp, text) => {
  expect(await failureOf({ seccomp })).toBe(text)
})

let agents = 0

/** Answers every notification with this errno. */
async function startAgent(code: number) {
  const socket = join(root.path, `agent-${agents++}`)
  const child = spawn(agentProgram, [socket, String(code)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('listening')
  return {
    socket,
    state: async () => JSON.parse(String((await lines.next()).value)),
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}

describe.each([false, true])('an agent (no_new_privs %s)', (noNewPrivileges) => {
  test('gets the listener with the state of the container, and its answers count', async () => {
    await using agent = await startAgent(noNewPrivileges ? 91 : 92)
    const { output, failures } = await root.run({
      run: `probe ${getpgid} 0; ls /proc/self/fd`,
      process: { noNewPrivileges },
      seccomp: about(notify, { listenerPath: agent.socket, listenerMetadata: 'say "so"' }),
    })
    expect(failures).toEqual([])
    expect(output).toBe(`${noNewPrivileges ? 91 : 92}\n0\n1\n2\n3\n`)
    const { pid, ...state } = await agent.state()
    expect(pid).toBeGreaterThan(0)
    expect(state).toEqual({
      ociVersion: '1.3.0',
      fds: ['seccompFd'],
      metadata: 'say "so"',
      state: { ociVersion: '1.3.0', id: root.id, bundle: root.path, status: 'creating', pid },
    })
  })

  test('gets another one for an exec', async () => {
    await using agent = await startAgent(noNewPrivileges ? 93 : 94)
    const seccomp = about(notify, { listenerPath: agent.socket, flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] })
    const { output, failures } = await root.run({
      run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
      seccomp,
      execs: [{ args: ['sh', '-c', `probe ${getpgid} 0; touch /tmp/done`], noNewPrivileges, linux: { seccomp } }],
    })
    expect(failures).toEqual([])
    expect(output).toBe(`${noNewPrivileges ? 93 : 94}\n`)
    const init = await agent.state()
    const exec = await agent.state()
    expect(exec).toMatchObject({ metadata: '', state: { id: root.id, status: 'running', pid: init.pid } })
    expect(exec.pid).not.toBe(init.pid)
  })

  test('may be asked for what the runtime itself still does', async () => {
    await using agent = await startAgent(0)
    const { failures, exitCode } = await root.run({
      process: { noNewPrivileges },
      seccomp: about({ ...notify, names: ['faccessat', 'umask'] }, { listenerPath: agent.socket }),
    })
    expect([exitCode, failures]).toEqual([0, []])
  })

  test('is the only one that has the listener while the container waits to be started', async () => {
    await using agent = await startAgent(0)
    await using command = await Command.make()
    const { id } = await command.created('true', (config) => {
      config.process.noNewPrivileges = noNewPrivileges
      config.linux.seccomp = about(notify, { listenerPath: agent.socket })
    })
    const { pid } = await agent.state()
    const descriptors = await readdir(`/proc/${pid}/fd`)
    const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`)))
    expect(targets.filter((target) => target.includes('seccomp'))).toEqual([])
    expect((await command.run('delete', '--force', id)).stderr).toBe('')
  })
})
