/** Namespaces, rights, limits and cgroups of containers, on the real kernel. */
import { readFile, readlink } from 'node:fs/promises'
import { constants } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerCapabilities } from '#test/support/docker-bundle.ts'
import { BusyboxRoot } from './container.ts'

const { errno } = constants
let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('a container ends with its own exit code', async () => {
  const { exitCode, failures } = await root.run({ run: 'exit 42' })
  expect(failures).toEqual([])
  expect(exitCode).toBe(42)
})

test('six namespaces of a container are not the host’s', async () => {
  const kinds = ['mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup'] as const
  const { output } = await root.run({ run: `for n in ${kinds.join(' ')}; do readlink /proc/self/ns/$n; done` })
  const own = await Promise.all(kinds.map((kind) => readlink(`/proc/self/ns/${kind}`)))
  const theirs = output.trim().split('\n')
  expect(theirs).toHaveLength(kinds.length)
  for (const [index, name] of own.entries()) expect(theirs[index]).not.toBe(name)
})

test('a namespace that the plan leaves out is the host’s', async () => {
  const namespaces = (['mount', 'pid', 'uts'] as const).map((type) => ({ type }))
  const { output } = await root.run({
    run: 'readlink /proc/self/ns/ipc; readlink /proc/self/ns/net',
    linux: { namespaces },
    keeper: { network: { kind: 'host' } },
  })
  expect(output.trim().split('\n')).toEqual([await readlink('/proc/self/ns/ipc'), await readlink('/proc/self/ns/net')])
})

test('a namespace is joined by its path', async () => {
  const namespaces = [
    ...(['mount', 'pid', 'cgroup', 'network'] as const).map((type) => ({ type })),
    { type: 'uts', path: '/proc/self/ns/uts' } as const,
  ]
  const { output, failures } = await root.run({
    run: 'readlink /proc/self/ns/uts',
    linux: { namespaces },
    spec: { hostname: '' },
  })
  expect(failures).toEqual([])
  expect(output.trim()).toBe(await readlink('/proc/self/ns/uts'))
})

test('a pid namespace joined by its path gives the container its processes', async () => {
  const namespaces = [
    ...(['mount', 'uts', 'cgroup', 'network'] as const).map((type) => ({ type })),
    { type: 'pid', path: '/proc/self/ns/pid' } as const,
  ]
  const { output, failures } = await root.run({
    run: 'readlink /proc/self/ns/pid; cat /proc/1/comm',
    linux: { namespaces },
  })
  expect(failures).toEqual([])
  expect(output.trim().split('\n')).toEqual([
    await readlink('/proc/self/ns/pid'),
    (await readFile('/proc/1/comm', 'utf8')).trim(),
  ])
})

test('the process has the capabilities, limits, groups and umask that were asked', async () => {
  const { output } = await root.run({
    run: 'grep -E "^(Cap|NoNewPrivs|Umask|Groups|Uid)" /proc/self/status; ulimit -n; ulimit -Hn',
    process: {
      user: { uid: 0, gid: 0, additionalGids: [7, 8], umask: 0o27 },
      noNewPrivileges: true,
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
    },
  })
  expect(output).toContain('CapEff:\t00000000a80425fb')
  expect(output).toContain('CapBnd:\t00000000a80425fb')
  expect(output).toContain('CapInh:\t0000000000000000')
  expect(output).toContain('NoNewPrivs:\t1')
  expect(output).toContain('Umask:\t0027')
  expect(output).toContain('Groups:\t7 8')
  expect(output).toMatch(/\n100\n200\n$/)
})

test('a process of another user keeps only ambient capabilities', async () => {
  const sets = {
    bounding: dockerCapabilities,
    effective: [],
    permitted: ['CAP_CHOWN'],
    inheritable: ['CAP_CHOWN'],
    ambient: ['CAP_CHOWN'],
  }
  const { output } = await root.run({
    run: 'id -u; id -g; grep -E "^Cap(Eff|Amb)" /proc/self/status',
    process: { user: { uid: 1234, gid: 5678 }, capabilities: sets },
  })
  expect(output).toBe('1234\n5678\nCapEff:\t0000000000000001\nCapAmb:\t0000000000000001\n')
})

test('limits that we may not raise become the nearest allowed ones', async () => {
  const { failures, output } = await root.run({
    run: 'ulimit -Hn',
    process: { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1 << 20, hard: 1 << 20 }], oomScoreAdj: -999 },
  })
  expect(failures).toEqual([])
  expect(Number(output)).toBeGreaterThan(0)
})

test.each([false, true])(
  'a seccomp filter is active and answers as its profile says (no_new_privs: %s)',
  async (noNewPrivileges) => {
    const { output } = await root.run({
      run: 'grep -E "^Seccomp:" /proc/self/status; mkdir /tmp/x; echo $?',
      process: { noNewPrivileges },
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
        syscalls: [{ names: ['mkdir', 'mkdirat', 'no_such_call'], action: 'SCMP_ACT_ERRNO', errnoRet: errno.EROFS }],
      },
    })
    expect(output).toContain('Seccomp:\t2')
    expect(output).toContain('Read-only file system')
  },
)

test('sysctls of the container’s namespaces are set', async () => {
  const { output, failures } = await root.run({
    run: 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax',
    linux: { sysctl: { 'net.ipv4.ip_unprivileged_port_start': '7', 'kernel/msgmax': '9999' } },
  })
  expect(failures).toEqual([])
  expect(output).toBe('7\n9999\n')
})

test.each([
  ['vm.swappiness', 'ipc'],
  ['kernel.hostname', 'ipc'],
  ['net.ipv4.ip_forward', 'ipc'],
  ['fs.mqueue.msg_max', 'network'],
  ['kernel/sem', 'network'],
] as const)('the sysctl %s, which would be the host’s, is refused', async (name, type) => {
  const namespaces = [{ type: 'mount' } as const, { type }]
  const { failures } = await root.run({ linux: { sysctl: { [name]: '1' }, namespaces }, spec: { hostname: '' } })
  expect(failures).toMatchObject([
    { text: `linux.sysctl.${name}: is not a setting of a namespace that the container has of its own` },
  ])
})

test('a sysctl name cannot climb out of /proc/sys', async () => {
  const { failures } = await root.run({ linux: { sysctl: { '../uptime': '1' } } })
  expect(failures[0]?.text).toBe('linux.sysctl.../uptime: is not the name of a sysctl')
})

test('device rules of the cgroup are enforced while the defaults stay usable', async () => {
  const { output } = await root.run({
    run: 'cat /dev/allowed && echo yes; cat /dev/denied; head -c 1 /dev/urandom | wc -c',
    linux: {
      devices: [
        { type: 'c', path: '/dev/allowed', major: 1, minor: 3, fileMode: 0o666 },
        { type: 'c', path: '/dev/denied', major: 1, minor: 11, fileMode: 0o666 },
      ],
      resources: { devices: [{ allow: false, access: 'rwm' }] },
    },
  })
  expect(output).toBe("yes\ncat: can't open '/dev/denied': Operation not permitted\n1\n")
})

test('a container leaves no mount, cgroup or namespace on the host, also when it fails', async () => {
  const before = await readFile('/proc/self/mountinfo', 'utf8')
  await root.run({
    run: 'sleep 1000 & exit 0',
    linux: { namespaces: (['mount', 'cgroup', 'network'] as const).map((type) => ({ type })) },
    spec: { hostname: '' },
  })
  await root.run({ run: ['nosuch'] })
  expect(await readFile('/proc/self/mountinfo', 'utf8')).toBe(before)
  expect(await root.cgroups()).toEqual([])
})

test('an exec goes to a group below the container’s, which must be there', async () => {
  const groups = '/sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs'
  const { failures, execCodes, output } = await root.run({
    run: [
      `for f in ${groups}; do d=$(dirname $f); test -e $f || continue; test -L $d && continue; mkdir $d/below`,
      'for c in cpus mems; do if [ -e $d/below/cpuset.$c ] && [ -e $d/cgroup.clone_children ]; then cat $d/cpuset.$c > $d/below/cpuset.$c; fi; done',
      'done; touch /tmp/ready; while [ ! -e /tmp/done ]; do sleep 0.05; done; rm /tmp/done /tmp/ready',
    ].join('; '),
    onlyMounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' },
    ],
    execs: [
      { args: ['sh', '-c', 'while [ ! -e /tmp/ready ]; do sleep 0.05; done'] },
      { args: ['cat', '/proc/self/cgroup'], cgroup: '/below' },
      { args: ['true'], cgroup: '/nowhere' },
      { args: ['true'], cgroup: '/../..' },
      { args: ['touch', '/tmp/done'] },
    ],
  })
  expect(execCodes).toEqual([0, 0, 0])
  expect(failures).toMatchObject([
    { step: 'exec 2', errno: errno.ENOENT },
    { step: 'exec 3', errno: errno.EINVAL },
  ])
  const lines = output
    .trim()
    .split('\n')
    .filter((line) => !line.includes('misc') && !line.includes('perf_event'))
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(line).toMatch(/:\/below$/)
})
