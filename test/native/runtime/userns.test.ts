/** Containers in a user namespace of their own: who they are outside, and that nothing inside notices. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LinuxSpec } from '#oci/runtime-spec.ts'
import type { BusyboxRoot } from './container.ts'
import { first, mapped, mappedRoot, maps, namespaces, six, size } from './mapped-container.ts'

const execute = promisify(execFile)
let root: BusyboxRoot

beforeAll(async () => {
  root = await mappedRoot()
})

afterAll(() => root[Symbol.asyncDispose]())

/** A process in a user and a network namespace of its own, with the maps of these tests. */
async function startUnshare(...more: string[]): Promise<AsyncDisposable & { pid: number }> {
  const forked = more.length > 0 ? ['--fork', '--kill-child', ...more] : []
  const args = ['--user', '--net', ...forked, 'sh', '-c', 'echo ready; exec sleep 1000']
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  for (const file of ['uid_map', 'gid_map']) await writeFile(`/proc/${child.pid}/${file}`, `0 ${first} ${size}`)
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

test('root inside is nobody outside, and has what it makes', async () => {
  const { failures, output } = await root.run(
    mapped({ run: 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; touch /made; stat -c %u /made' }),
  )
  expect(failures).toEqual([])
  const line = `         0     ${first}      ${size}`
  expect(output.split('\n')).toEqual(['0', '0', line, line, '0', ''])
  const { uid, gid } = await stat(join(root.rootfs, 'made'))
  expect([uid, gid]).toEqual([first, first])
})

test('without idMapped the image’s own ids count, and those that are not mapped are nobody’s', async () => {
  const { failures, output } = await root.run(mapped({ run: 'stat -c %u:%g /bin /proc/1 /sys/kernel' }))
  expect(failures).toEqual([])
  expect(output.split('\n').slice(0, 3)).toEqual(['0:0', '0:0', '65534:65534'])
})

test('a process has the capabilities that were asked, and only over its own namespaces', async () => {
  const capability = ['CAP_SYS_ADMIN', 'CAP_SETUID', 'CAP_SYS_TIME', 'CAP_MKNOD']
  const { failures, output } = await root.run(
    mapped({
      run: 'grep CapEff /proc/self/status; hostname changed && hostname; date -s 2001-01-01 2>&1 | grep -c permitted; mknod /tmp/sda b 8 0 2>&1 | grep -c permitted',
      process: {
        capabilities: {
          bounding: capability,
          effective: capability,
          permitted: capability,
          inheritable: [],
          ambient: [],
        },
      },
    }),
  )
  expect(failures).toEqual([])
  expect(output.split('\n')).toEqual(['CapEff:\t000000000a200080', 'changed', '1', '1', ''])
})

test('all namespaces belong to the user namespace, and init is number one', async () => {
  const { failures, output } = await root.run(
    mapped({ run: `echo $$; for n in user mnt pid uts ipc net cgroup; do readlink /proc/self/ns/$n; done` }),
  )
  expect(failures).toEqual([])
  const [pid, ...inside] = output.trim().split('\n')
  expect(pid).toBe('1')
  const kinds = ['user', 'mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup']
  const outside = await Promise.all(kinds.map((kind) => readlink(`/proc/self/ns/${kind}`)))
  for (const [index, name] of outside.entries()) expect(inside[index]).not.toBe(name)
})

test('mounts, devices, masks and read-only paths are those of any container', async () => {
  const { failures, output } = await root.run(
    mapped({
      run: [
        'for d in null zero full random urandom tty; do stat -c "%n %t:%T %a" /dev/$d; done',
        'echo x > /dev/null && head -c 3 /dev/zero | wc -c',
        'for m in /proc /sys /dev /dev/pts /dev/mqueue /dev/shm; do grep " $m " /proc/mounts | cut -d " " -f 3; done',
        'cat /proc/timer_list | wc -c',
        'echo 1 > /proc/sys/vm/drop_caches',
      ].join('; '),
    }),
  )
  expect(failures).toEqual([])
  expect(output.split('\n').slice(0, 14)).toEqual([
    ...['null 1:3', 'zero 1:5', 'full 1:7', 'random 1:8', 'urandom 1:9', 'tty 5:0'].map((line) => `/dev/${line} 666`),
    '3',
    ...['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'tmpfs'],
    '0',
  ])
  expect(output).toContain('drop_caches: Read-only file system')
})

test('nothing of the host’s mounts is left, as in any container', async () => {
  const run = "cut -d ' ' -f 5 /proc/self/mountinfo | grep -vE '^/dev/(null|zero|full|random|urandom|tty)$'"
  const { failures, output } = await root.run(mapped({ run }))
  expect(failures).toEqual([])
  expect(output).toBe((await root.run({ run })).output)
})

test('a host path is bound in, and belongs to whom it belongs', async () => {
  const source = join(root.path, 'volume')
  await mkdir(source)
  await writeFile(join(source, 'file'), 'text')
  await chown(source, first + 33, first + 33)
  const { failures, output } = await root.run(
    mapped({
      run: 'stat -c %u /volume /volume/file; cat /volume/file',
      mounts: [{ destination: '/volume', source, options: ['bind', 'nosuid'] }],
    }),
  )
  expect(failures).toEqual([])
  expect(output).toBe('33\n65534\ntext')
})

test('sysctls of its own namespaces are set', async () => {
  const { failures, output } = await root.run(
    mapped({
      run: 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax',
      linux: { sysctl: { 'net.ipv4.ip_unprivileged_port_start': '80', 'kernel.msgmax': '9000' } } as Partial<LinuxSpec>,
    }),
  )
  expect(failures).toEqual([])
  expect(output).toBe('80\n9000\n')
})

test('the terminal belongs to the user of the process', async () => {
  const { failures, output } = await root.run(
    mapped({
      run: 'tty; stat -c %u:%t /dev/console; stty size; echo on > /dev/tty',
      process: { terminal: true, consoleSize: { height: 30, width: 90 }, user: { uid: 7, gid: 7 } },
    }),
  )
  expect(failures).toEqual([])
  expect(output).toMatch(/^\/dev\/(pts\/0|console)\n7:88\n30 90\non\n$/)
})

test('its output can be opened again, whoever it is', async () => {
  const reopen = 'echo first > /proc/self/fd/1 && exec sh -c "echo second > /dev/stdout" && true'
  for (const uid of [0, 33]) {
    const { failures, output } = await root.run(
      mapped({
        run: `${reopen}`,
        process: { user: { uid, gid: uid } },
        around: '"$@" | cat',
      }),
    )
    expect(failures).toEqual([])
    expect(output).toBe('first\nsecond\n')
  }
})

test('limits above those of the starter are set with the rights of the host', async () => {
  const { stdout } = await execute('sh', ['-c', 'ulimit -Hn'])
  const hard = Number(stdout)
  const { failures, output } = await root.run(
    mapped({
      run: 'ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj',
      process: { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 512, hard }], oomScoreAdj: 321 },
    }),
  )
  expect(failures).toEqual([])
  expect(output).toBe(`512\n${hard}\n321\n`)
})

test('the cgroup is the container’s, also with its mount', async () => {
  const { failures, output } = await root.run(
    mapped({
      run: 'cat /proc/self/cgroup; cat /sys/fs/cgroup/*/cgroup.procs /sys/fs/cgroup/cgroup.procs | sort -u | head -1',
    }),
  )
  expect(failures).toEqual([])
  const lines = output.trim().split('\n')
  for (const line of lines.slice(0, -1)) if (/^\d+:/.test(line)) expect(line).toMatch(/:\/$/)
  expect(output).toMatch(/^1$/m)
})

test('an exec is in the same namespaces, as the same users, with no inheritable capability', async () => {
  const names = 'for n in user mnt pid uts ipc net cgroup; do readlink /proc/self/ns/$n; done'
  const { failures, output, execCodes } = await root.run(
    mapped({
      run: `${names}; echo ready > /tmp/ready; while [ ! -e /tmp/done ]; do sleep 0.05; done; rm /tmp/done /tmp/ready`,
      execs: [
        {
          args: [
            'sh',
            '-c',
            `while [ ! -e /tmp/ready ]; do sleep 0.05; done; ${names}; id -u; grep CapInh /proc/self/status`,
          ],
        },
        {
          args: ['sh', '-c', 'id -u; stat -c %u /proc/self/; ulimit -n; touch /tmp/done'],
          rlimits: [{ type: 'RLIMIT_NOFILE', soft: 99, hard: 99 }],
          user: { uid: 44, gid: 44 },
        },
      ],
      mounts: [{ destination: '/tmp', type: 'tmpfs', options: ['mode=1777'] }],
    }),
  )
  expect(failures).toEqual([])
  expect(execCodes).toEqual([0, 0])
  const lines = output.trim().split('\n')
  expect(lines.slice(7, 14)).toEqual(lines.slice(0, 7))
  expect(lines.slice(14)).toEqual(['0', 'CapInh:\t0000000000000000', '44', '44', '99'])
})

test('an exec with a terminal works too', async () => {
  const { failures, output } = await root.run(
    mapped({
      run: 'while [ ! -e /tmp/done ]; do sleep 0.05; done; rm /tmp/done',
      execs: [{ args: ['sh', '-c', 'test -t 0 && echo tty; touch /tmp/done'], terminal: true }],
    }),
  )
  expect(failures).toEqual([])
  expect(output).toBe('tty\n')
})

test('the user namespace of another container is joined by its path, and its network with it', async () => {
  await using other = await startUnshare()
  const ns = (type: string) => `/proc/${other.pid}/ns/${type}`
  const { failures, output } = await root.run({
    run: 'readlink /proc/self/ns/user; readlink /proc/self/ns/net; id -u; echo $$; touch /by-path; cat /sys/class/net/lo/ifindex',
    linux: {
      namespaces: [
        ...namespaces('mount', 'pid', 'uts', 'ipc', 'cgroup'),
        { type: 'user', path: ns('user') },
        { type: 'network', path: ns('net') },
      ],
    },
    execs: [],
  })
  expect(failures).toEqual([])
  expect(output.trim().split('\n')).toEqual([await readlink(ns('user')), await readlink(ns('net')), '0', '1', '1'])
  expect((await stat(join(root.rootfs, 'by-path'))).uid).toBe(first)
})

test('a network made beside a joined user namespace belongs to it', async () => {
  await using other = await startUnshare()
  const { failures, output } = await root.run({
    run: 'readlink /proc/self/ns/user; ip link set lo mtu 1400 && cat /sys/class/net/lo/mtu; cat /sys/class/net/lo/operstate',
    process: {
      capabilities: {
        bounding: ['CAP_NET_ADMIN'],
        effective: ['CAP_NET_ADMIN'],
        permitted: ['CAP_NET_ADMIN'],
        inheritable: [],
        ambient: [],
      },
    },
    linux: {
      namespaces: [...namespaces(...six), { type: 'user', path: `/proc/${other.pid}/ns/user` }],
      uidMappings: maps,
      gidMappings: maps,
    },
  })
  expect(failures).toEqual([])
  expect(output.trim().split('\n')).toEqual([await readlink(`/proc/${other.pid}/ns/user`), '1400', 'unknown'])
})

test('maps that are not those of the joined user namespace are refused', async () => {
  await using other = await startUnshare()
  const wrong = [{ containerID: 0, hostID: first + 1, size }]
  const { failures } = await root.run({
    linux: {
      namespaces: [...namespaces(...six), { type: 'user', path: `/proc/${other.pid}/ns/user` }],
      uidMappings: maps,
      gidMappings: wrong,
    },
  })
  expect(failures).toMatchObject([{ step: 'create' }])
  expect(failures[0]?.text).toBe('linux.gidMappings is not the map of the user namespace that is joined; leave it out')
})

test('a pid namespace is joined together with its user namespace', async () => {
  await using other = await startUnshare('--pid')
  const child = (await readFile(`/proc/${other.pid}/task/${other.pid}/children`, 'utf8')).trim()
  const { failures, output } = await root.run({
    run: 'readlink /proc/self/ns/pid; cat /proc/1/comm; test $$ -gt 1 && echo not first',
    linux: {
      namespaces: [
        ...namespaces('mount', 'uts', 'ipc', 'cgroup', 'network'),
        { type: 'user', path: `/proc/${child}/ns/user` },
        { type: 'pid', path: `/proc/${child}/ns/pid` },
      ],
    },
  })
  expect(failures).toEqual([])
  expect(output.trim().split('\n')).toEqual([await readlink(`/proc/${child}/ns/pid`), 'sleep', 'not first'])
})

test('a new user namespace with the network of the host’s users is made', async () => {
  const { failures, output } = await root.run(
    mapped({
      run: 'readlink /proc/self/ns/net',
      onlyMounts: [{ destination: '/proc', type: 'proc' }],
      linux: {
        namespaces: [
          ...namespaces('mount', 'pid', 'uts', 'ipc', 'cgroup', 'user'),
          { type: 'network', path: '/proc/self/ns/net' },
        ],
        uidMappings: maps,
        gidMappings: maps,
        maskedPaths: [],
        readonlyPaths: [],
      },
    }),
  )
  expect(failures).toEqual([])
  expect(output.trim()).toBe(await readlink('/proc/self/ns/net'))
})
