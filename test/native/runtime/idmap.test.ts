/** Files that are shown with other owners than they have on the disk: binds, and the roots of containers in user namespaces. */
import { execFile, spawn } from 'node:child_process'
import { chmod, copyFile, lstat, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { NamespaceType } from '#oci/runtime-spec.ts'
import { dockerCapabilities } from '#test/support/docker-bundle.ts'
import { BusyboxRoot, type ContainerOptions } from './container.ts'

const { errno } = constants
const execute = promisify(execFile)
const first = 300000
const map = (containerID: number, hostID: number, size = 1) => ({ containerID, hostID, size })
const both = (...maps: ReturnType<typeof map>[]) => ({ uidMappings: maps, gidMappings: maps })

let root: BusyboxRoot
let files: string

beforeAll(async () => {
  root = await BusyboxRoot.make()
  files = join(root.path, 'files')
  await mkdir(join(files, 'below'), { recursive: true })
  await execute('sh', [
    '-c',
    `cd '${files}' && for id in 0 1 1000; do : > $id && chown $id:$id $id; done && chmod 777 . below`,
  ])
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

async function ownerOf(path: string): Promise<string> {
  const { uid, gid } = await lstat(path)
  return `${uid}:${gid}`
}

const namespaces = (...more: NamespaceType[]) =>
  (['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network', ...more] as const).map((type) => ({ type }))

/** A container with ids from 300000 on, and a root whose files have the ids of the image on the disk. */
function remapped(options: ContainerOptions = {}): ContainerOptions {
  return {
    ...options,
    linux: { namespaces: namespaces('user'), ...both(map(0, first, 65536)), ...options.linux },
    keeper: { rootfs: { kind: 'directory', path: root.rootfs, idMapped: true }, ...options.keeper },
  }
}

async function overlay(name: string, lower = [root.rootfs]) {
  const path = join(root.path, name)
  for (const part of ['', '/upper', '/work', '/root']) await mkdir(path + part)
  return { kind: 'overlay', path: `${path}/root`, lower, upper: `${path}/upper`, work: `${path}/work`, idMapped: true }
}

describe('binds', () => {
  const bind = (options: string[], maps = {}) => ({ destination: '/m', type: 'bind', source: files, options, ...maps })
  const show = 'cd /m && for f in *; do test -f $f && stat -c "%n %u:%g" $f; done'

  test('are shown by maps of their own, and what is written has the ids of the disk', async () => {
    const { output, failures } = await root.run({
      run: `${show}; touch /m/new; stat -c %u:%g /m/new`,
      process: { user: { uid: 5000, gid: 5000 } },
      mounts: [bind(['rbind'], both(map(1000, 5000), map(0, 7)))],
    })
    expect(failures).toEqual([])
    expect(output.trim().split('\n')).toEqual(['0 7:7', '1 65534:65534', '1000 5000:5000', '5000:5000'])
    expect(await ownerOf(join(files, 'new'))).toBe('1000:1000')
    await execute('rm', [join(files, 'new')])
  })

  test('are shown by the container’s maps when they have none', async () => {
    const { output, failures } = await root.run(
      remapped({ run: `${show}; touch /m/own`, mounts: [bind(['rbind', 'idmap'])] }),
    )
    expect(failures).toEqual([])
    expect(output).toBe('0 0:0\n1 1:1\n1000 1000:1000\n')
    expect(await ownerOf(join(files, 'own'))).toBe('0:0')
    await execute('rm', [join(files, 'own')])
  })

  test('idmap is for the mount alone, ridmap for all below it too', async () => {
    const around = `mount -t tmpfs tmpfs '${files}/below' && : > '${files}/below/file' && "$@"`
    const show = async (word: string) =>
      (
        await root.run({
          around,
          run: 'stat -c %u /m/0 /m/below/file',
          mounts: [bind(['rbind', word], both(map(0, 77)))],
        })
      ).output
    expect(await show('idmap')).toBe('77\n0\n')
    expect(await show('ridmap')).toBe('77\n77\n')
    expect(await show('rbind')).toBe('77\n0\n')
  })

  test('without any map are refused, as are half a map and what is no bind', async () => {
    const refuse = async (mount: object) => (await root.run({ mounts: [mount as ReturnType<typeof bind>] })).failures
    expect(await refuse(bind(['rbind', 'idmap']))).toEqual([
      {
        step: 'create',
        errno: errno.EINVAL,
        text: "the mount on '/m' is to be id-mapped, but neither it nor the container has maps",
      },
    ])
    expect(await refuse(bind(['rbind'], { uidMappings: [map(0, 1)] }))).toMatchObject([
      { step: 'plan', text: expect.stringMatching(/^mounts\[\d+\]\.uidMappings: needs gidMappings/) },
    ])
    expect(await refuse({ destination: '/m', type: 'tmpfs', ...both(map(0, 1)) })).toMatchObject([
      { step: 'plan', text: expect.stringContaining('only binds can be id-mapped') },
    ])
  })

  test('of a file system that cannot be mapped are refused with its type', async () => {
    const { failures } = await root.run({
      mounts: [{ ...bind(['rbind', 'idmap'], both(map(0, 1))), source: '/proc/sys' }],
    })
    expect(failures).toEqual([
      {
        step: 'create',
        errno: errno.EINVAL,
        text: "map the ids of the mount of '/proc/sys': its file system (proc) cannot be id-mapped by this kernel",
      },
    ])
  })
})

describe('the root of a remapped container', () => {
  test('is a directory that needs no other owners', async () => {
    await execute('sh', ['-c', `mkdir '${root.rootfs}/home' && chown 1000:1000 '${root.rootfs}/home'`])
    const { output, failures } = await root.run(
      remapped({
        run: 'cat /proc/self/uid_map; stat -c "%n %u:%g" / /home /bin/busybox; touch /made; chown 1000:5 /made; stat -c %u:%g /made',
      }),
    )
    expect(failures).toEqual([])
    expect(output.trim().split('\n')).toEqual([
      `0     ${first}      65536`,
      '/ 0:0',
      '/home 1000:1000',
      '/bin/busybox 0:0',
      '1000:5',
    ])
    expect(await ownerOf(join(root.rootfs, 'made'))).toBe('1000:5')
  })

  test('is made of layers whose owners on the disk stay those of the image, also in what is written', async () => {
    const top = join(root.path, 'top')
    await mkdir(join(top, 'opaque'), { recursive: true })
    await mkdir(join(top, 'doomed'))
    await execute('sh', [
      '-c',
      `cd '${top}' && : > of-five && chown 5:6 of-five && : > copied && chown 1000:1000 copied && : > doomed/file`,
    ])
    const rootfs = await overlay('written', [top, root.rootfs])
    const { output, failures } = await root.run(
      remapped({
        run: [
          'stat -c "%n %u:%g" / /of-five /copied /bin/busybox',
          'echo x >> /copied; mkdir /new && touch /new/file && chown 7:8 /new/file; rm /of-five; rm -r /doomed && mkdir /doomed',
          'stat -c "%n %u:%g" /copied /new /new/file; ls /doomed; ls /of-five',
        ].join('; '),
        keeper: { rootfs },
      }),
    )
    expect(failures).toEqual([])
    expect(output.trim().split('\n')).toEqual([
      '/ 0:0',
      '/of-five 5:6',
      '/copied 1000:1000',
      '/bin/busybox 0:0',
      '/copied 1000:1000',
      '/new 0:0',
      '/new/file 7:8',
      'ls: /of-five: No such file or directory',
    ])
    const upper = (name: string) => ownerOf(join(rootfs.upper, name))
    expect(await upper('copied')).toBe('1000:1000')
    expect(await upper('new')).toBe('0:0')
    expect(await upper('new/file')).toBe('7:8')
    const whiteout = await lstat(join(rootfs.upper, 'of-five'))
    expect(whiteout.isCharacterDevice() && whiteout.rdev === 0).toBe(true)
    const { stdout } = await execute('python3', [
      '-c',
      `import os; print(os.getxattr('${rootfs.upper}/doomed', 'trusted.overlay.opaque').decode())`,
    ])
    expect(stdout).toBe('y\n')
    // The same directories serve again, as after a restart.
    const again = await root.run(remapped({ run: 'cat /copied; stat -c %u:%g /new/file', keeper: { rootfs } }))
    expect(again).toMatchObject({ failures: [], output: 'x\n7:8\n' })
  })

  test('can be one layer alone, or several without one to write to', async () => {
    const { upper, work, ...rootfs } = await overlay('read-only')
    const one = await root.run(remapped({ run: 'stat -c %u:%g /bin/busybox; touch /x', keeper: { rootfs } }))
    expect(one).toMatchObject({ failures: [], output: '0:0\ntouch: /x: Read-only file system\n' })
    await symlink('/bin/sh', join(upper, 'shell'))
    const lower = [upper, root.rootfs]
    const two = await root.run(
      remapped({
        run: 'stat -c %u:%g /bin/busybox; readlink /shell; touch /x',
        keeper: { rootfs: { ...rootfs, lower } },
      }),
    )
    expect(two).toMatchObject({ failures: [], output: '0:0\n/bin/sh\ntouch: /x: Read-only file system\n' })
    expect(work).toContain('work')
  })

  test('is shown by the ids of a namespace that is joined, and so are devices', async () => {
    const holder = spawn('unshare', ['--user', 'sleep', '1000'])
    try {
      const own = await readlink('/proc/self/ns/user')
      await vi.waitFor(async () => expect(await readlink(`/proc/${holder.pid}/ns/user`)).not.toBe(own), {
        timeout: 20_000,
      })
      for (const file of ['uid_map', 'gid_map']) await writeFile(`/proc/${holder.pid}/${file}`, `0 ${first} 65536\n`)
      const rootfs = await overlay('joined')
      const { output, failures } = await root.run({
        run: 'stat -c "%n %u:%g" / /bin/busybox /dev/null; touch /joined; stat -c %u:%g /joined; cat /m/0 && stat -c %u:%g /m/1',
        linux: {
          namespaces: [...namespaces(), { type: 'user', path: `/proc/${holder.pid}/ns/user` }],
        },
        mounts: [{ destination: '/m', type: 'bind', source: files, options: ['rbind', 'idmap'] }],
        keeper: { rootfs },
      })
      expect(failures).toEqual([])
      expect(output).toBe('/ 0:0\n/bin/busybox 0:0\n/dev/null 0:0\n0:0\n1:1\n')
      expect(await ownerOf(join(rootfs.upper, 'joined'))).toBe('0:0')
    } finally {
      holder.kill('SIGKILL')
    }
  })

  test('is refused without a user namespace', async () => {
    const { failures } = await root.run({
      keeper: { rootfs: { kind: 'directory', path: root.rootfs, idMapped: true } },
    })
    expect(failures).toEqual([
      {
        step: 'create',
        errno: errno.EINVAL,
        text: 'an id-mapped root filesystem (keeper.rootfs.idMapped) needs a user namespace',
      },
    ])
  })

  test('keeps file capabilities working', async () => {
    const rootfs = await overlay('programs')
    await mkdir(join(root.rootfs, 'capable'))
    await copyFile(join(root.rootfs, 'bin/busybox'), join(root.rootfs, 'capable/grep'))
    await chmod(join(root.rootfs, 'capable/grep'), 0o755)
    const capability = "struct.pack('<5I', 0x02000001, 1 << 7, 0, 0, 0)"
    await execute('python3', [
      '-c',
      `import os, struct; os.setxattr('${root.rootfs}/capable/grep', 'security.capability', ${capability})`,
    ])
    const { output, failures } = await root.run(
      remapped({
        run: ['/capable/grep', 'CapEff', '/proc/self/status'],
        process: { user: { uid: 1000, gid: 1000 } },
        keeper: { rootfs },
      }),
    )
    expect(failures).toEqual([])
    expect(output).toBe('CapEff:\t0000000000000080\n')
  })
})

describe('inside a user namespace', () => {
  test('devices, terminals, masks, kernel file systems and read-only roots are as outside of one', async () => {
    const { output, failures } = await root.run(
      remapped({
        run: [
          'for d in null zero full random urandom tty; do stat -c "%n %F %a %u:%g %t:%T" /dev/$d; done',
          'echo x > /dev/null && head -c 2 /dev/zero | wc -c; readlink /dev/fd /dev/ptmx; stty size',
          'stat -c "%F %a %u:%g %t:%T" /dev/mine/fuse; cat /proc/keys; ls /sys/firmware; touch /x; touch /dev/shm/x && echo written',
          'cut -d" " -f5 /proc/self/mountinfo | sort -u | tr "\\n" " "',
        ].join('; '),
        spec: { root: { path: 'r', readonly: true } },
        process: { terminal: true, consoleSize: { height: 11, width: 22 } },
        linux: {
          devices: [{ path: '/dev/mine/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 3, gid: 4 }],
          maskedPaths: ['/proc/keys', '/proc/kcore', '/sys/firmware', '/no/such'],
        },
      }),
    )
    expect(failures).toEqual([])
    for (const [name, number] of Object.entries({ null: 3, zero: 5, full: 7, random: 8, urandom: 9 }))
      expect(output).toContain(`/dev/${name} character special file 666 0:0 1:${number}\n`)
    expect(output).toContain('/dev/tty character special file 666 0:0 5:0\n')
    expect(output).toContain('\n2\n')
    expect(output).toContain('11 22\n')
    expect(output).toContain('character special file 640 3:4 a:e5\n')
    expect(output).toContain('touch: /x: Read-only file system\n')
    expect(output).toContain('written\n')
    expect(output).not.toContain(root.path)
    expect(output.trim().split('\n').at(-1)?.trim().split(' ')).toEqual(
      expect.arrayContaining([
        '/',
        '/proc',
        '/dev',
        '/dev/null',
        '/dev/console',
        '/sys',
        '/proc/sys',
        '/sys/fs/cgroup',
      ]),
    )
  })

  test('a bind on /dev is left as it is, and paths are masked all the same', async () => {
    const { output, failures } = await root.run(
      remapped({
        run: 'cat /proc/keys && ls /dev',
        onlyMounts: [
          { destination: '/proc', type: 'proc', source: 'proc' },
          { destination: '/dev', type: 'bind', source: files, options: ['rbind'] },
        ],
        linux: { maskedPaths: ['/proc/keys'], readonlyPaths: [] },
      }),
    )
    expect(failures).toEqual([])
    expect(output).toBe('0\n1\n1000\nbelow\n')
  })

  test('a device whose owner is not mapped is refused', async () => {
    const { failures } = await root.run(
      remapped({ linux: { devices: [{ path: '/dev/x', type: 'c', major: 1, minor: 3, uid: 70000 }] } }),
    )
    expect(failures).toEqual([
      { step: 'create', errno: errno.EINVAL, text: "device '/dev/x': user 70000 is not mapped" },
    ])
  })

  test('links of the image lead neither devices nor mounts out of the root', async () => {
    const victim = join(root.path, 'victim')
    await writeFile(victim, 'untouched')
    await symlink(victim, join(root.rootfs, 'to-victim'))
    const { output, failures } = await root.run(
      remapped({
        run: 'ls -l /to-victim; test -c /to-victim && echo device inside',
        linux: { devices: [{ path: '/to-victim', type: 'c', major: 1, minor: 3 }] },
      }),
    )
    expect(failures).toEqual([])
    expect(output).toContain('device inside')
    expect(await readFile(victim, 'utf8')).toBe('untouched')
  })

  test('without pivot_root the root is as well the only one', async () => {
    await writeFile(join(root.path, 'marker'), '')
    const { output, failures } = await root.run(
      remapped({
        run: `ls -d /bin; ls ${root.path}/marker; cut -d" " -f5 /proc/self/mountinfo | grep -c "^/$"`,
        noPivot: true,
      }),
    )
    expect(failures).toEqual([])
    expect(output).toBe(`/bin\nls: ${root.path}/marker: No such file or directory\n1\n`)
  })

  test('a bind that is read-only stays so for who has all rights in a namespace below', async () => {
    const admin = [...dockerCapabilities, 'CAP_SYS_ADMIN']
    const { output, failures } = await root.run(
      remapped({
        run: 'unshare -Um mount -o remount,bind,rw /m; touch /m/x',
        process: {
          capabilities: { bounding: admin, effective: admin, permitted: admin, inheritable: [], ambient: [] },
        },
        mounts: [{ destination: '/m', type: 'bind', source: files, options: ['rbind', 'ro'] }],
      }),
    )
    expect(failures).toEqual([])
    expect(output).toMatch(/permission denied|Operation not permitted/i)
    expect(output).toContain('Read-only file system')
  })

  test('nothing is left on the host', async () => {
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(root.path)
  })
})
