import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BusyboxRoot, dockerCapabilities } from './container.ts'

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

test('masked files are empty, masked directories have nothing, and read-only paths refuse writes', async () => {
  const { output } = await root.run({
    run: 'cat /proc/keys /proc/interrupts; ls /sys/firmware; echo 1 > /proc/sys/vm/drop_caches',
  })
  expect(
    output
      .split('\n')
      .filter((line) => !line.includes('Read-only file system'))
      .join(''),
  ).toBe('')
})

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

test('/dev has the default devices and links, and nothing of the host', async () => {
  const { output } = await root.run({
    run: 'cd /dev; ls; for l in ptmx fd stdin; do readlink $l; done; echo x > null; head -c 3 zero | wc -c; stat -c %a:%t:%T full',
  })
  const names = [
    'fd',
    'full',
    'mqueue',
    'null',
    'ptmx',
    'pts',
    'random',
    'shm',
    'stderr',
    'stdin',
    'stdout',
    'tty',
    'urandom',
    'zero',
  ]
  expect(output.split('\n')).toEqual([...names, 'pts/ptmx', '/proc/self/fd', '/proc/self/fd/0', '3', '666:1:7', ''])
})

test('devices of the plan are made with their mode and owner', async () => {
  const { output } = await root.run({
    run: 'stat -c %F:%a:%u:%g:%t:%T /dev/sub/fuse',
    linux: { devices: [{ type: 'c', path: '/dev/sub/fuse', major: 10, minor: 229, fileMode: 0o640, uid: 3, gid: 4 }] },
  })
  expect(output.trim()).toBe('character special file:640:3:4:a:e5')
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

test('a read-only root refuses writes while its tmpfs mounts take them', async () => {
  const { output } = await root.run({
    run: 'echo x > /file; echo x > /dev/shm/file && cat /dev/shm/file',
    spec: { root: { path: 'r', readonly: true } },
  })
  expect(output).toBe("sh: can't create /file: Read-only file system\nx\n")
})

test('binds show a directory and a file, read-only ones refuse writes, missing mount points are made', async () => {
  const host = join(root.path, 'host')
  await mkdir(join(host, 'sub'), { recursive: true })
  await writeFile(join(host, 'file'), 'content\n')
  const { output, failures } = await root.run({
    run: 'cat /new/a/dir/file /etc/made/file; echo x > /new/a/dir/out; echo x > /etc/made/file; cat /proc/self/mountinfo | grep /etc/made/file',
    mounts: [
      { destination: '/new/a/dir', type: 'bind', source: host, options: ['rbind', 'rprivate'] },
      { destination: '/etc/made/file', type: 'bind', source: join(host, 'file'), options: ['bind', 'ro', 'rslave'] },
    ],
  })
  expect(failures).toEqual([])
  expect(output).toContain('content\ncontent\n')
  expect(output).toContain("can't create /etc/made/file: Read-only file system")
  expect(output).toMatch(/ ro,relatime/)
  expect(await readFile(join(host, 'out'), 'utf8')).toBe('x\n')
})

test('a read-only tmpfs over /dev is read-only only once its devices are made', async () => {
  const { output, failures } = await root.run({
    run: 'test -c /dev/null && touch /dev/x',
    onlyMounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'mode=755'] },
    ],
  })
  expect(failures).toEqual([])
  expect(output).toContain('Read-only file system')
})

test('a missing bind source is told with both paths', async () => {
  const { failures } = await root.run({ mounts: [{ destination: '/x', type: 'bind', source: '/no/such/source' }] })
  expect(failures).toEqual([
    { step: 'create', errno: errno.ENOENT, text: "open '/no/such/source' to mount it on '/x'" },
  ])
})

test('an option that a file system refuses is told with the kernel’s words', async () => {
  const { failures } = await root.run({
    mounts: [{ destination: '/x', type: 'tmpfs', source: 't', options: ['size=banana'] }],
  })
  expect(failures[0]).toMatchObject({
    step: 'create',
    errno: errno.EINVAL,
    text: expect.stringContaining("option 'size=banana'"),
  })
})

test('a terminal has its size, is the controlling one and shows as /dev/console', async () => {
  const { output, exitCode } = await root.run({
    run: 'tty; stty size; echo hello > /dev/console; echo to-tty > /dev/tty; stat -c %t:%T /dev/console; test -t 0',
    process: { terminal: true, consoleSize: { height: 33, width: 99 } },
  })
  expect(output).toBe('/dev/pts/0\n33 99\nhello\nto-tty\n88:0\n')
  expect(exitCode).toBe(0)
})

test('a terminal belongs to the user of the process', async () => {
  const { output } = await root.run({
    run: 'stat -c %u /dev/pts/0',
    process: { terminal: true, user: { uid: 77, gid: 77 } },
  })
  expect(output.trim()).toBe('77')
})

test('an exec is inside: namespaces, cgroup, root, capabilities', async () => {
  const look =
    'for n in pid mnt net cgroup uts ipc; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup; ls -id /'
  const { output, execCodes } = await root.run({
    run: `{ ${look}; } > /tmp/init; touch /tmp/ready; while ! test -e /tmp/done; do sleep 0.02; done`,
    execs: [
      {
        args: [
          'sh',
          '-c',
          `while ! test -e /tmp/ready; do sleep 0.02; done; { ${look}; } > /tmp/exec; grep CapInh /proc/self/status; touch /tmp/done`,
        ],
      },
    ],
  })
  expect(execCodes).toEqual([0])
  expect(output).toBe('CapInh:\t0000000000000000\n')
  expect(await readFile(join(root.rootfs, 'tmp/exec'), 'utf8')).toBe(
    await readFile(join(root.rootfs, 'tmp/init'), 'utf8'),
  )
  for (const name of ['init', 'exec', 'ready', 'done']) await rm(join(root.rootfs, 'tmp', name))
})

test('an exec gets a terminal of its own', async () => {
  const { output, execCodes } = await root.run({
    run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
    execs: [{ args: ['sh', '-c', 'tty; test -t 1; echo $?; touch /tmp/done'], terminal: true }],
  })
  expect(execCodes).toEqual([0])
  expect(output).toBe('/dev/pts/0\n0\n')
})

test('no descriptor of the runtime reaches the process or an exec', async () => {
  const { output } = await root.run({
    run: 'ls /proc/self/fd; while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
    execs: [{ args: ['sh', '-c', 'ls /proc/self/fd; touch /tmp/done'] }],
  })
  expect(output).toBe('0\n1\n2\n3\n0\n1\n2\n3\n') // 3 is ls reading the directory
})

const missing = 'executable file not found in $PATH'
test.each([
  [['nosuch'], errno.ENOENT, `exec: "nosuch": ${missing}`],
  [[''], errno.ENOENT, `exec: "": ${missing}`],
  [['/nosuch'], errno.ENOENT, 'exec: "/nosuch": stat /nosuch: no such file or directory'],
  [['./nosuch'], errno.ENOENT, 'exec: "./nosuch": stat ./nosuch: no such file or directory'],
  [['/etc'], errno.EISDIR, 'exec: "/etc": is a directory'],
  [['/etc/plain'], errno.EACCES, 'exec: "/etc/plain": permission denied'],
  [['/etc/text'], errno.ENOEXEC, 'exec /etc/text: exec format error'],
  [['/etc/interpreter'], errno.ENOENT, 'exec /etc/interpreter: no such file or directory'],
])('a program that cannot be run is told as Docker’s clients know it: %j', async (args, code, text) => {
  await writeFile(join(root.rootfs, 'etc/plain'), 'x')
  await writeFile(join(root.rootfs, 'etc/text'), 'x', { mode: 0o755 })
  await writeFile(join(root.rootfs, 'etc/interpreter'), '#!/no/such\n', { mode: 0o755 })
  const { failures, exitCode } = await root.run({ run: args })
  expect(failures).toEqual([{ step: expect.stringMatching(/create|start/), errno: code, text }])
  expect(exitCode).toBeUndefined()
})

test('a program that an exec cannot find leaves the container running', async () => {
  const { failures, exitCode } = await root.run({
    run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done; exit 5',
    execs: [{ args: ['nosuch'] }, { args: ['true'], cwd: '/no/where' }, { args: ['touch', '/tmp/done'] }],
  })
  expect(failures).toEqual([
    { step: 'exec 0', errno: errno.ENOENT, text: `exec: "nosuch": ${missing}` },
    {
      step: 'exec 1',
      errno: errno.ENOENT,
      text: 'chdir to cwd ("/no/where") set in config.json failed: no such file or directory',
    },
  ])
  expect(exitCode).toBe(5)
})

test('a missing working directory is made, below the root', async () => {
  const { output } = await root.run({ run: 'pwd', process: { cwd: '/made/for/us' } })
  expect(output).toBe('/made/for/us\n')
})

test.each(Array.from({ length: 12 }, (_, index) => index + 3))(
  'a working directory of /proc/self/fd/%i never leads to the host',
  async (descriptor) => {
    const { output, failures } = await root.run({ run: 'pwd; ls ..', process: { cwd: `/proc/self/fd/${descriptor}` } })
    expect(failures).toHaveLength(1)
    expect(output).toBe('')
  },
)

test('links of the image cannot lead mounts, devices or masks out of the root', async () => {
  const victim = join(root.path, 'victim')
  await mkdir(victim)
  await rename(join(root.rootfs, 'dev'), join(root.rootfs, 'dev.real'))
  await symlink(victim, join(root.rootfs, 'dev'))
  await symlink(victim, join(root.rootfs, 'evil'))
  const result = await root.run({
    run: 'ls /dev/null',
    onlyMounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/evil/new', type: 'tmpfs', source: 't' },
    ],
  })
  await rm(join(root.rootfs, 'dev'))
  await rm(join(root.rootfs, 'evil'))
  await rename(join(root.rootfs, 'dev.real'), join(root.rootfs, 'dev'))
  expect(await readdir(victim)).toEqual([])
  expect(result).toMatchObject({ failures: [], output: '/dev/null\n' })
})

test('a mount point behind a link that leads nowhere yet is made where the link leads, inside', async () => {
  const source = join(root.path, 'resolv.conf')
  await writeFile(source, 'nameserver 192.0.2.1\n')
  await symlink('../run/resolve/stub.conf', join(root.rootfs, 'etc/resolv.conf'))
  await symlink('/var/data', join(root.rootfs, 'data'))
  const { output, failures } = await root.run({
    run: 'cat /etc/resolv.conf /run/resolve/stub.conf; echo x > /var/data/sub/x && cat /data/sub/x',
    mounts: [
      { destination: '/etc/resolv.conf', type: 'bind', source, options: ['bind'] },
      { destination: '/data/sub', type: 'tmpfs', source: 'tmpfs' },
    ],
  })
  expect(failures).toEqual([])
  expect(output).toBe('nameserver 192.0.2.1\nnameserver 192.0.2.1\nx\n')
})

test('links that lead to each other are refused', async () => {
  await symlink('loop-b', join(root.rootfs, 'loop-a'))
  await symlink('loop-a', join(root.rootfs, 'loop-b'))
  const { failures } = await root.run({ mounts: [{ destination: '/loop-a/x', type: 'tmpfs', source: 'tmpfs' }] })
  expect(failures).toMatchObject([{ step: 'create', errno: errno.ELOOP }])
})

test('a link in the place of /proc is refused', async () => {
  await rename(join(root.rootfs, 'proc'), join(root.rootfs, 'proc.real'))
  await symlink('/tmp', join(root.rootfs, 'proc'))
  const { failures } = await root.run()
  await rm(join(root.rootfs, 'proc'))
  await rename(join(root.rootfs, 'proc.real'), join(root.rootfs, 'proc'))
  expect(failures).toEqual([
    {
      step: 'create',
      errno: errno.ELOOP,
      text: "proc must be mounted on an ordinary directory, and '/proc' is not one",
    },
  ])
})

test('the root can be an overlay of many layers, and changes go to its upper directory', async () => {
  const layers = Array.from({ length: 300 }, (_, index) => join(root.path, `layer-${index}`))
  for (const [index, layer] of layers.entries()) {
    await mkdir(layer)
    await writeFile(join(layer, `from-${index}`), '')
  }
  const [upper, work, mountPoint] = ['upper', 'work', 'mount'].map((name) => join(root.path, name))
  for (const directory of [upper, work, mountPoint]) await mkdir(directory ?? '')
  const rootfs = { kind: 'overlay', path: mountPoint, lower: [...layers, root.rootfs], upper, work }
  const { output, failures } = await root.run({ run: 'ls / | grep -c from-; echo x > /written', keeper: { rootfs } })
  expect(failures).toEqual([])
  expect(output.trim()).toBe('300')
  expect(await readFile(join(upper ?? '', 'written'), 'utf8')).toBe('x\n')
})

test('a layer alone is shown read-only', async () => {
  const mountPoint = join(root.path, 'single')
  await mkdir(mountPoint)
  const { output } = await root.run({
    run: 'touch /x',
    keeper: { rootfs: { kind: 'overlay', path: mountPoint, lower: [root.rootfs] } },
  })
  expect(output).toContain('Read-only file system')
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
  const groups = (await readdir('/sys/fs/cgroup', { recursive: true })).filter((name) =>
    name.endsWith(root.cgroup.slice(1)),
  )
  expect(groups).toEqual([])
})
