/** What a container sees as its file system, on the real kernel. */
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerCapabilities } from '#test/support/docker-bundle.ts'
import { BusyboxRoot } from './container.ts'

const { errno } = constants
const admin = [...dockerCapabilities, 'CAP_SYS_ADMIN']
const adminCapabilities = { bounding: admin, effective: admin, permitted: admin, inheritable: [], ambient: [] }

let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

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

test.each([
  ['rprivate', 'before\n', 'before\nfrom host\n'],
  ['rslave', 'before\nfrom host\n', 'before\nfrom host\n'],
  ['rshared', 'before\nfrom host\n', 'before\nfrom container\nfrom host\n'],
])('mounts reach through a bind of %s propagation as far as they should', async (propagation, inside, outside) => {
  const host = join(root.path, `propagation-${propagation}`)
  await mkdir(host)
  // The host mounts while the container runs, and the container does when it sees the host's file.
  const { output, failures } = await root.run({
    around: [
      `mount -t tmpfs -o mode=755 shared '${host}' && mount --make-shared '${host}' && cd '${host}'`,
      'mkdir before host container && "$@" &',
      'while ! test -e started; do sleep 0.02; done',
      'mount -t tmpfs tmpfs host && : > host/file && : > mounted; wait',
      'echo outside:; echo before; test -e container/file && echo from container; test -e host/file && echo from host; true',
    ].join('\n'),
    run: [
      'cd /shared; : > started; while ! test -e mounted; do sleep 0.02; done',
      'mount -t tmpfs tmpfs container && : > container/file',
      'echo before; test -e host/file && echo from host; true',
    ].join('\n'),
    process: { capabilities: adminCapabilities },
    linux: { rootfsPropagation: 'rslave' },
    mounts: [{ destination: '/shared', type: 'bind', source: host, options: ['rbind', propagation] }],
  })
  expect(failures).toEqual([])
  expect(output.split('outside:\n')).toEqual([inside, outside])
})

test('a bind of what the host mounted read-only stays read-only, also with rw', async () => {
  const host = join(root.path, 'frozen')
  await mkdir(host)
  const { output, failures } = await root.run({
    around: `mount --bind '${host}' '${host}' && mount -o remount,bind,ro '${host}' && "$@"`,
    run: 'echo x > /frozen/x',
    mounts: [{ destination: '/frozen', type: 'bind', source: host, options: ['rbind', 'rw'] }],
  })
  expect(failures).toEqual([])
  expect(output).toContain('Read-only file system')
})

test('a bind that is read-only with all below it refuses writes to what is mounted there', async () => {
  const host = join(root.path, 'tree')
  await mkdir(join(host, 'below'), { recursive: true })
  const { output, failures } = await root.run({
    around: `mount -t tmpfs tmpfs '${host}/below' && "$@"`,
    run: 'for d in all only; do touch /$d/x /$d/below/x && ls /$d/below; done',
    mounts: [
      { destination: '/all', type: 'bind', source: host, options: ['rbind', 'rro'] },
      { destination: '/only', type: 'bind', source: host, options: ['rbind', 'ro'] },
    ],
  })
  expect(failures).toEqual([])
  expect(output.match(/\S+(?=: Read-only file system)/g)).toEqual(['/all/x', '/all/below/x', '/only/x'])
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
