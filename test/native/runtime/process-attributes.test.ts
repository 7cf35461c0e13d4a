/** What a process is to the scheduler, to memory, to security modules, and which descriptors it is given. */
import { existsSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProcessSpec } from '#oci/runtime-spec.ts'
import { BusyboxRoot, type ContainerOptions } from './container.ts'

const { errno } = constants
let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

const untilDone = 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done'
const done = { args: ['touch', '/tmp/done'] }

/** Runs the script as an exec of a container that waits for it. */
async function exec(script: string, more: NonNullable<ContainerOptions['execs']>[number]): Promise<string> {
  const { output, failures } = await root.run({
    run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
    execs: [{ args: ['sh', '-c', script], ...more }, { args: ['touch', '/tmp/done'] }],
  })
  expect(failures).toEqual([])
  return output
}

async function failureOf(options: ContainerOptions): Promise<string> {
  const { failures, exitCode } = await root.run(options)
  expect(exitCode).toBeUndefined()
  expect(failures).toHaveLength(1)
  return failures[0]?.text ?? ''
}

// nice, real-time priority, policy (proc(5))
const schedule = 'cut -d" " -f19,40,41 /proc/$$/stat'
const onlyProc = [{ destination: '/proc', type: 'proc', source: 'proc' }]

describe('scheduler', () => {
  test.each([
    [{ policy: 'SCHED_OTHER', nice: -7 }, '-7 0 0\n'],
    [{ policy: 'SCHED_BATCH', nice: 5 }, '5 0 3\n'],
    [{ policy: 'SCHED_IDLE' }, '0 0 5\n'],
    [{ policy: 'SCHED_FIFO', priority: 7 }, '0 7 1\n'],
    [{ policy: 'SCHED_RR', priority: 3, flags: ['SCHED_FLAG_RESET_ON_FORK'] }, '0 3 2\n'],
  ])('%j is what the process gets', async (scheduler, seen) => {
    const { output, failures } = await root.run({
      run: schedule,
      process: { scheduler, user: { uid: 1000, gid: 1000 } },
      // In a group of its own a process may have no time of the real-time kind (CONFIG_RT_GROUP_SCHED).
      linux: { cgroupsPath: '' },
      onlyMounts: onlyProc,
    })
    expect(failures).toEqual([])
    expect(output).toBe(seen)
  })

  test('an exec has its own', async () => {
    expect(await exec(schedule, { scheduler: { policy: 'SCHED_BATCH', nice: 3 } })).toBe('3 0 3\n')
  })

  test.each([
    [{ policy: 'SCHED_NONE' }, "process.scheduler.policy: unknown policy 'SCHED_NONE'"],
    [{ policy: 'SCHED_OTHER', nice: 20 }, 'process.scheduler.nice: 20 is not between -20 and 19'],
    [{ policy: 'SCHED_OTHER', priority: 1 }, 'process.scheduler.priority: is for SCHED_FIFO and SCHED_RR only'],
    [{ policy: 'SCHED_RR', runtime: 1 }, 'process.scheduler.runtime: is for SCHED_DEADLINE only'],
    [{ policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_X'] }, "process.scheduler.flags[0]: unknown flag 'SCHED_FLAG_X'"],
    [{ policy: 'SCHED_FIFO', priority: 0 }, 'set scheduling policy 1 with nice 0 and priority 0'],
    [{ policy: 'SCHED_ISO' }, 'set scheduling policy 4 with nice 0 and priority 0'],
  ])('%j is refused', async (scheduler, text) => {
    expect(await failureOf({ process: { scheduler } })).toBe(text)
  })
})

describe('I/O priority', () => {
  test.each([
    [{ class: 'IOPRIO_CLASS_BE', priority: 6 }, 'best-effort: prio 6'],
    [{ class: 'IOPRIO_CLASS_RT', priority: 2 }, 'realtime: prio 2'],
    [{ class: 'IOPRIO_CLASS_IDLE' }, 'idle'],
  ])('%j is what the process gets', async (ioPriority, shown) => {
    const { output } = await root.run({ run: 'ionice -p $$', process: { ioPriority, user: { uid: 7, gid: 7 } } })
    expect(output.trim()).toBe(shown)
  })

  test.each([
    [{ class: 'IOPRIO_CLASS_NONE' }, "process.ioPriority.class: unknown class 'IOPRIO_CLASS_NONE'"],
    [{ class: 'IOPRIO_CLASS_BE', priority: 8 }, 'process.ioPriority.priority: 8 is not between 0 and 7'],
  ])('%j is refused', async (ioPriority, text) => {
    expect(await failureOf({ process: { ioPriority } })).toBe(text)
  })
})

describe('processors of an exec', () => {
  const allowed = 'grep Cpus_allowed_list /proc/self/status'

  test.each([
    [{ initial: '0', final: '1' }, '1'],
    [{ final: ' 0 ' }, '0'],
    [{ initial: '1' }, '1'],
    [{ initial: '0', final: '0-1' }, '0-1'],
  ])('%j', async (execCPUAffinity, list) => {
    expect(await exec(allowed, { execCPUAffinity })).toBe(`Cpus_allowed_list:\t${list}\n`)
  })

  test('are not those of the first process', async () => {
    const { output } = await root.run({ run: allowed, process: { execCPUAffinity: { initial: '0', final: '0' } } })
    expect(output).toBe(readFileSync('/proc/self/status', 'utf8').match(/Cpus_allowed_list.*\n/)?.[0])
  })

  test.each([
    ['0-', "'0-' is not a list like 0-3,7"],
    ['3-1', "'3-1' is not a list like 0-3,7"],
    ['1,,2', "'1,,2' is not a list like 0-3,7"],
    ['9999', "'9999' has a number above 8191"],
  ])('%j is no list', async (final, text) => {
    expect(await failureOf({ process: { execCPUAffinity: { final } } })).toBe(`process.execCPUAffinity.final: ${text}`)
  })

  test('that are not there are told', async () => {
    const { failures } = await root.run({ run: untilDone, execs: [{ execCPUAffinity: { final: '8000' } }, done] })
    expect(failures).toEqual([
      { step: 'exec 0', errno: errno.EINVAL, text: "let the process run on the processors '8000'" },
    ])
  })
})

describe('memory policy', () => {
  test.each([
    [{ mode: 'MPOL_BIND', nodes: '0' }, 'bind:0'],
    [{ mode: 'MPOL_INTERLEAVE', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] }, 'interleave=static:0'],
    [{ mode: 'MPOL_PREFERRED_MANY', nodes: '0' }, 'prefer (many):0'],
    [{ mode: 'MPOL_LOCAL' }, 'local'],
    [{ mode: 'MPOL_DEFAULT' }, 'default'],
  ])('%j is the process’s', async (memoryPolicy, shown) => {
    const { output, failures } = await root.run({
      run: 'head -n 1 /proc/self/numa_maps | cut -d" " -f2-3',
      linux: { memoryPolicy },
    })
    expect(failures).toEqual([])
    expect(output).toContain(shown)
  })

  test('is an exec’s', async () => {
    const linux = { memoryPolicy: { mode: 'MPOL_BIND', nodes: '0' } }
    expect(await exec('head -n 1 /proc/self/numa_maps', { linux })).toContain('bind:0')
  })

  test.each([
    [{ mode: 'MPOL_X' }, "linux.memoryPolicy.mode: unknown mode 'MPOL_X'"],
    [{ mode: 'MPOL_BIND', flags: ['MPOL_F_X'] }, "linux.memoryPolicy.flags[0]: unknown flag 'MPOL_F_X'"],
    [{ mode: 'MPOL_BIND', nodes: 'x' }, "linux.memoryPolicy.nodes: 'x' is not a list like 0-3,7"],
    [{ mode: 'MPOL_BIND' }, "set memory policy 2 with nodes ''"],
    [{ mode: 'MPOL_BIND', nodes: '1000' }, "set memory policy 2 with nodes '1000'"],
  ])('%j is refused', async (memoryPolicy, text) => {
    expect(await failureOf({ linux: { memoryPolicy } })).toBe(text)
  })
})

describe('personality', () => {
  const machine32: Readonly<Record<string, string>> = { x64: 'i686', arm64: 'armv8l' }

  test('LINUX32 makes the machine look 32 bits wide, to execs too', async () => {
    const linux = { personality: { domain: 'LINUX32' } }
    const { output } = await root.run({ run: 'uname -m', linux })
    expect(output.trim()).toBe(machine32[process.arch])
    expect((await exec('uname -m', { linux })).trim()).toBe(machine32[process.arch])
  })

  test('flags are refused', async () => {
    expect(await failureOf({ linux: { personality: { domain: 'LINUX', flags: ['X'] } } })).toBe(
      'linux.personality.flags: the runtime-spec knows no flags of a personality',
    )
  })
})

describe('security modules', () => {
  const hasAppArmor = existsSync('/sys/module/apparmor/parameters/enabled')
  const hasSelinux = readFileSync('/proc/filesystems', 'utf8').includes('selinuxfs')

  test('a profile of AppArmor is refused where there is none, or where it is not loaded', async () => {
    expect(await failureOf({ process: { apparmorProfile: 'berth-no-such-profile' } })).toBe(
      hasAppArmor
        ? "AppArmor profile 'berth-no-such-profile' is not loaded"
        : "AppArmor profile 'berth-no-such-profile' cannot be applied: AppArmor is not active on this host",
    )
  })

  test('unconfined is what every process is where there is no AppArmor', async () => {
    expect((await root.run({ process: { apparmorProfile: 'unconfined' } })).exitCode).toBe(0)
  })

  test('they are asked in a user namespace too, where no procfs without masks can be made', async () => {
    const maps = [{ containerID: 0, hostID: 100_000, size: 1000 }]
    const namespaces = (['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network', 'user'] as const).map((type) => ({ type }))
    const linux = { namespaces, uidMappings: maps, gidMappings: maps }
    expect((await root.run({ process: { apparmorProfile: 'unconfined' }, linux })).failures).toEqual([])
    expect(await failureOf({ process: { apparmorProfile: 'berth-no-such-profile' }, linux })).toMatch(
      /not loaded|not active on this host/,
    )
    expect(await failureOf({ linux: { ...linux, mountLabel: 'no:such:label:s0' } })).toMatch(
      /SELinux label 'no:such:label:s0'/,
    )
  })

  test('a label of SELinux is refused where there is none', async () => {
    expect(await failureOf({ process: { selinuxLabel: 'no:such:label:s0' } })).toContain(
      hasSelinux ? "apply SELinux label 'no:such:label:s0'" : 'SELinux is not active on this host',
    )
  })

  test('a label of mounts is refused where there is no SELinux', async () => {
    expect(await failureOf({ linux: { ...root.config({}).linux, mountLabel: 'no:such:label:s0' } })).toContain(
      hasSelinux
        ? "SELinux label 'no:such:label:s0'"
        : "SELinux label 'no:such:label:s0' of mounts cannot be applied: SELinux is not active on this host",
    )
  })

  test('an exec is refused alike', async () => {
    const { failures } = await root.run({ run: untilDone, execs: [{ apparmorProfile: 'berth-no-such-profile' }, done] })
    expect(failures.map(({ step, text }) => [step, text])).toEqual([
      ['exec 0', expect.stringContaining("AppArmor profile 'berth-no-such-profile'")],
    ])
  })
})

describe('preserved descriptors', () => {
  const files = ['one', 'two']

  beforeAll(() => Promise.all(files.map((name) => writeFile(join(root.path, name), name))))
  afterAll(() => Promise.all(files.map((name) => rm(join(root.path, name)))))

  const paths = () => files.map((name) => join(root.path, name))

  test('go to the program, and nothing else does', async () => {
    const { output, failures } = await root.run({
      run: 'cat <&3; cat <&4; ls /proc/self/fd',
      preserved: { files: paths(), claimed: 2 },
    })
    expect(failures).toEqual([])
    expect(output).toBe('onetwo0\n1\n2\n3\n4\n5\n') // 5 is ls reading the directory
  })

  test('go to an exec', async () => {
    const { output } = await root.run({
      run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
      execs: [{ args: ['sh', '-c', 'cat <&3; ls /proc/self/fd; touch /tmp/done'] }],
      preserved: { files: paths().slice(0, 1), claimed: 1 },
    })
    expect(output).toBe('one0\n1\n2\n3\n4\n')
  })

  test('that are not open are told, and none of the runtime’s own takes their place', async () => {
    expect(await failureOf({ run: 'ls -l /proc/self/fd', preserved: { files: paths(), claimed: 3 } })).toBe(
      'descriptor 5, which is to be preserved, is not open',
    )
  })
})

describe('identity', () => {
  const look =
    'id -u; id -g; id -G; umask; grep -E "NoNewPrivs|^Groups" /proc/self/status; cat /proc/self/oom_score_adj'
  const attributes: Partial<ProcessSpec> = {
    user: { uid: 1234, gid: 2345, additionalGids: [5, 6, 4_000_000_000], umask: 0o27 },
    noNewPrivileges: true,
    oomScoreAdj: 321,
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
  }
  const seen = '1234\n2345\n2345 5 6 4000000000\n0027\nGroups:\t5 6 4000000000 \nNoNewPrivs:\t1\n321\n100\n200\n'

  test('user, groups, umask, no_new_privs, OOM score and limits are as asked', async () => {
    const { output } = await root.run({ run: `${look}; ulimit -Sn; ulimit -Hn`, process: attributes })
    expect(output).toBe(seen)
  })

  test('for an exec too', async () => {
    expect(await exec(`${look}; ulimit -Sn; ulimit -Hn`, attributes)).toBe(seen)
  })
})
