/** Device nodes, cgroup file systems and the root itself, as a container has them on the real kernel. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeviceSpec } from '#oci/runtime-spec.ts'
import { dockerCapabilities } from '#test/support/docker-bundle.ts'
import { BusyboxRoot } from './container.ts'

const { errno } = constants
const execute = promisify(execFile)
const admin = [...dockerCapabilities, 'CAP_SYS_ADMIN', 'CAP_SYS_RESOURCE']
const adminCapabilities = { bounding: admin, effective: admin, permitted: admin, inheritable: [], ambient: [] }
const proc = { destination: '/proc', type: 'proc', source: 'proc' }

let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

/** Runs with something else in the place of the image's /dev, which is no file system of its own. */
async function withDev(make: (dev: string) => Promise<unknown>, options: Parameters<BusyboxRoot['run']>[0]) {
  const dev = join(root.rootfs, 'dev')
  await rename(dev, `${dev}.real`)
  try {
    await mkdir(dev)
    await make(dev)
    return await root.run({ onlyMounts: [proc], ...options })
  } finally {
    await rm(dev, { recursive: true })
    await rename(`${dev}.real`, dev)
  }
}

describe('devices', () => {
  test('each type is made with its mode, owner and numbers, below directories that do not exist yet', async () => {
    const { output, failures } = await root.run({
      run: 'cd /dev/made && stat -c "%n %F %a %u:%g %t:%T" deep/zero plain pipe block unbuffered; head -c2 deep/zero | wc -c',
      linux: {
        devices: [
          { path: '/dev/made/deep/zero', type: 'c', major: 1, minor: 5, fileMode: 0o600, uid: 3, gid: 4 },
          { path: '/dev/made/plain', type: 'c', major: 1, minor: 5 },
          { path: '/dev/made/pipe', type: 'p', fileMode: 0o640, major: 0, minor: 0 },
          { path: '/dev/made/block', type: 'b', major: 7, minor: 200, fileMode: 0o660 },
          { path: '/dev/made/unbuffered', type: 'u', major: 1, minor: 3 },
        ],
        resources: { devices: [{ allow: true, access: 'rwm' }] },
      },
    })
    expect(failures).toEqual([])
    expect(output.trim().split('\n')).toEqual([
      'deep/zero character special file 600 3:4 1:5',
      'plain character special file 666 0:0 1:5',
      'pipe fifo 640 0:0 0:0',
      'block block special file 660 0:0 7:c8',
      'unbuffered character special file 666 0:0 1:3',
      '2',
    ])
  })

  test.each([
    [{ path: '/dev/x', type: 'c', major: 1 }, 'linux.devices[0]: needs major and minor'],
    [{ path: '/dev/x', type: 'a', major: 1, minor: 1 }, "linux.devices[0].type: unknown device type 'a'"],
    [{ path: 'x', type: 'p' }, "linux.devices[0].path: 'x' is not an absolute path"],
  ])('%j is refused with its place', async (device, text) => {
    const { failures } = await root.run({ linux: { devices: [device as DeviceSpec] } })
    expect(failures).toEqual([{ step: 'plan', errno: errno.EINVAL, text }])
  })

  test('a node of the image that is the same device becomes what is asked for', async () => {
    const { output, failures } = await withDev(
      (dev) =>
        execute('sh', [
          '-c',
          `mknod -m 600 '${dev}/null' c 1 3 && mknod -m 666 '${dev}/mine' c 1 5 && chown 9:9 '${dev}/mine'`,
        ]),
      {
        run: 'stat -c "%a %u:%g" /dev/null /dev/mine',
        linux: { devices: [{ path: '/dev/mine', type: 'c', major: 1, minor: 5, fileMode: 0o640, uid: 1, gid: 2 }] },
      },
    )
    expect(failures).toEqual([])
    expect(output).toBe('666 0:0\n640 1:2\n')
  })

  test.each([
    ['another device', 'mknod "$1" c 1 5'],
    ['a file', ': > "$1"'],
    ['a link to the device', 'ln -s /host-null "$1"'],
    ['a directory', 'mkdir "$1"'],
    ['a pipe', 'mkfifo "$1"'],
  ])('%s of the image in the place of a default device is refused, and nothing is changed', async (_, script) => {
    const { failures, exitCode } = await withDev((dev) => execute('sh', ['-c', script, 'sh', join(dev, 'null')]), {
      run: 'true',
    })
    expect(exitCode).toBeUndefined()
    expect(failures).toEqual([
      { step: 'create', errno: errno.EEXIST, text: "make device 'null': something else stands there" },
    ])
  })

  test('a directory of the image that is a link leads a device where the link leads inside', async () => {
    await symlink('/tmp', join(root.rootfs, 'elsewhere'))
    const { output, failures } = await root.run({
      run: 'stat -c %t:%T /tmp/device; rm /tmp/device',
      linux: { devices: [{ path: '/elsewhere/device', type: 'c', major: 1, minor: 3 }] },
    })
    expect(failures).toEqual([])
    expect(output).toBe('1:3\n')
  })

  test('links below /dev are those of the image where it has some, but ptmx is always that of devpts', async () => {
    const { output, failures } = await withDev(
      async (dev) => {
        await writeFile(join(dev, 'ptmx'), 'not a terminal')
        await symlink('/elsewhere', join(dev, 'stdin'))
      },
      { run: 'for link in ptmx stdin fd; do readlink /dev/$link; done' },
    )
    expect(failures).toEqual([])
    expect(output).toBe('pts/ptmx\n/elsewhere\n/proc/self/fd\n')
  })

  test.each([['/dev'], ['/dev/'], ['dev/.']])('a bind on %s is left as it is', async (destination) => {
    const source = join(root.path, `bound${destination.replaceAll('/', '-')}`)
    await mkdir(source)
    const { output, failures } = await root.run({
      run: 'ls -a /dev',
      onlyMounts: [proc, { destination, type: 'bind', source, options: ['rbind'] }],
      linux: { maskedPaths: [], readonlyPaths: [] },
    })
    expect(failures).toEqual([])
    expect(output).toBe('.\n..\n')
    expect(await readdir(source)).toEqual([])
  })

  test('a terminal has the size that is asked for, and is /dev/console too', async () => {
    const { output } = await root.run({
      run: 'stty size < /dev/console; test /dev/console -ef $(tty) || stat -c %t:%T /dev/console; tty',
      process: { terminal: true, consoleSize: { height: 31, width: 97 } },
    })
    expect(output).toMatch(/^31 97\n/)
    expect(output).toContain('/dev/pts/0')
  })
})

describe('cgroup file systems', () => {
  const script = 'grep " - cgroup" /proc/self/mountinfo; cat /proc/self/cgroup > /dev/null; ls /sys/fs/cgroup'
  const cgroup = (type: string, options: string[]) => [
    proc,
    { destination: '/sys/fs/cgroup', type, source: 'cgroup', options },
  ]
  const namespaces = (['mount', 'pid', 'uts', 'ipc', 'network'] as const).map((type) => ({ type }))

  test.each([['with'], ['without']])('are read-only or not as the options say, %s a cgroup namespace', async (own) => {
    const linux = own === 'with' ? {} : { namespaces }
    const readOnly = await root.run({
      run: `${script}; for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/made && echo made; done`,
      onlyMounts: cgroup('cgroup', ['ro', 'nosuid', 'nodev', 'noexec', 'relatime']),
      linux,
    })
    expect(readOnly.failures).toEqual([])
    expect(readOnly.output).toMatch(/ ro,nosuid,nodev,noexec,relatime /)
    expect(readOnly.output).not.toContain('made\n')
    expect(readOnly.output).toContain('Read-only file system')
    expect(readOnly.output).not.toMatch(/ rw[ ,].*relatime .* - cgroup/)

    const writable = await root.run({
      run: 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do test -d $d && ! test -L $d && mkdir $d/made && rmdir $d/made && echo made; done; true',
      onlyMounts: cgroup('cgroup', ['rw', 'nosuid', 'rnoexec']),
      linux,
      process: { capabilities: adminCapabilities },
    })
    expect(writable.failures).toEqual([])
    expect(writable.output).toMatch(/^(made\n)+$/)
  })

  test('show the container its own group as the root, whatever the path is outside', async () => {
    const { output, failures } = await root.run({
      run: 'grep " - cgroup" /proc/self/mountinfo | cut -d" " -f4 | sort -u; cut -d: -f3 /proc/self/cgroup | sort -u',
      onlyMounts: cgroup('cgroup', ['ro']),
    })
    expect(failures).toEqual([])
    expect(output).toBe('/\n/\n')
  })

  test('of version 2 take its options in a cgroup namespace, and without one they are refused', async () => {
    const options = ['rw', 'nsdelegate', 'noexec', 'rslave']
    const own = await root.run({
      run: 'grep " - cgroup2" /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.procs | head -1',
      onlyMounts: cgroup('cgroup2', options),
    })
    expect(own.failures).toEqual([])
    expect(own.output).toMatch(/ \/ \/sys\/fs\/cgroup rw,noexec,/)
    const shared = await root.run({ onlyMounts: cgroup('cgroup2', options), linux: { namespaces } })
    expect(shared.failures).toEqual([
      {
        step: 'create',
        errno: errno.EINVAL,
        text: "option 'nsdelegate' of the cgroup mount on '/sys/fs/cgroup' needs cgroup v2 and a cgroup namespace",
      },
    ])
    const unknown = await root.run({ onlyMounts: cgroup('cgroup2', ['banana']) })
    expect(unknown.failures[0]?.text).toContain("Unknown parameter 'banana'")
  })
})

describe('the root', () => {
  test('without pivot_root nothing of the host is left but the file system that is covered', async () => {
    const marker = join(root.path, 'marker')
    await writeFile(marker, 'of the host')
    const { output, failures } = await root.run({
      run: [
        `cat ${marker}; cut -d" " -f5 /proc/self/mountinfo | grep -v -E "^/(proc|sys|dev)(/|$)"`,
        // Out of the root as far as ".." leads, from a directory that is not below it.
        'mkdir -p /tmp/x && cd / && chroot /tmp/x /nothing; cd ../../../..; ls -d proc bin/busybox; ls /proc/1/root/bin/busybox',
      ].join('; '),
      process: { capabilities: adminCapabilities },
      noPivot: true,
    })
    expect(failures).toEqual([])
    expect(output).toContain("can't open")
    expect(output).not.toContain('of the host')
    expect(output.split('\n').filter((line) => line.startsWith('/'))).toEqual(['/', '/proc/1/root/bin/busybox'])
  })

  test('without pivot_root an exec sees the same, and what the host has mounted stays there', async () => {
    const before = await readFile('/proc/self/mountinfo', 'utf8')
    const { output, failures, execCodes } = await root.run({
      run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
      execs: [{ args: ['sh', '-c', 'ls /; touch /tmp/done'] }],
      noPivot: true,
    })
    expect(failures).toEqual([])
    expect(execCodes).toEqual([0])
    expect(output.trim().split('\n')).toEqual(expect.arrayContaining(['bin', 'dev', 'proc', 'sys']))
    const mounts = (text: string) => text.split('\n').filter((line) => !line.includes('berth-runtime-')).length
    expect(mounts(await readFile('/proc/self/mountinfo', 'utf8'))).toBe(mounts(before))
  })

  test('a root that is a mount point already, with mounts below it, is shown with them; read-only leaves those writable', async () => {
    await mkdir(join(root.rootfs, 'below'), { recursive: true })
    const { output, failures } = await root.run({
      around: `mount --bind '${root.rootfs}' '${root.rootfs}' && mount -t tmpfs tmpfs '${root.rootfs}/below' && "$@"`,
      run: 'touch /x; touch /below/x && ls /below',
      spec: { root: { path: 'r', readonly: true } },
    })
    expect(failures).toEqual([])
    expect(output).toBe('touch: /x: Read-only file system\nx\n')
  })
})
