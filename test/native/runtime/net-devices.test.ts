/** Links of the host that move into a container (linux.netDevices), and what a container's network is in a user namespace. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LinuxSpec, NamespaceType } from '#oci/runtime-spec.ts'
import { Command, program } from './command.ts'
import { BusyboxRoot, type ContainerOptions } from './container.ts'

const execute = promisify(execFile)
let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(() => root[Symbol.asyncDispose]())

const six = ['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network'] as const
const maps = [{ containerID: 0, hostID: 0, size: 65536 }]

function namespaces(...types: NamespaceType[]): LinuxSpec['namespaces'] {
  return types.map((type) => ({ type }))
}

/** Everything happens in a network namespace of its own: nothing of the machine's is touched. */
function inside(before: string, after: string): string {
  return `unshare -n sh -c '${before}; "$@"; ${after}' sh "$@"`
}

const links =
  'ip link add dev0 type veth peer name far0; ip link set far0 up; ip link set dev0 address 02:00:00:00:00:07 mtu 1300 up; ip addr add 10.7.0.1/24 dev dev0; ip addr add fd07::1/64 dev dev0 nodad'

function taking(options: ContainerOptions = {}): ContainerOptions {
  return {
    around: inside(links, 'echo outside; ip -o link show | cut -d: -f2 | cut -d@ -f1 | grep -v far0'),
    ...options,
    linux: { namespaces: namespaces(...six), netDevices: { dev0: { name: 'eth7' } }, ...options.linux },
  }
}

test.each([
  ['a container', {}],
  ['a user namespace', { namespaces: namespaces(...six, 'user'), uidMappings: maps, gidMappings: maps }],
])('a link of the host moves into %s, renamed, with its addresses, up', async (_, linux) => {
  const { failures, output } = await root.run(
    taking({
      run: `cat /sys/class/net/eth7/address /sys/class/net/eth7/mtu; ip -o addr show dev eth7 | sed -E "s/ +/ /g" | cut -d " " -f 2-4`,
      linux,
    }),
  )
  expect(failures).toEqual([])
  const lines = output.trim().split('\n')
  expect(lines.slice(0, 2)).toEqual(['02:00:00:00:00:07', '1300'])
  expect(lines).toEqual(expect.arrayContaining(['eth7 inet 10.7.0.1/24', 'eth7 inet6 fd07::1/64']))
  expect(lines.slice(lines.indexOf('outside'))).toEqual(['outside', ' lo'])
})

test('a network namespace by path gets the link too', async () => {
  const { failures, output } = await root.run(
    taking({
      run: 'cat /sys/class/net/dev0/mtu',
      around: inside(
        `${links}; unshare -n sleep 1000 & other=$!; while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done; ln -s /proc/$other/ns/net ${root.path}/netns`,
        `kill $other; rm ${root.path}/netns`,
      ),
      linux: {
        namespaces: [
          ...namespaces('mount', 'pid', 'uts', 'ipc', 'cgroup'),
          { type: 'network', path: `${root.path}/netns` },
        ],
        netDevices: { dev0: {} },
      },
      keeper: { network: { kind: 'host' } },
    }),
  )
  expect(failures).toEqual([])
  expect(output).toBe('1300\n')
})

test('after a failed creation the link is back, as it was', async () => {
  const state =
    'ip -o link show dev dev0 | grep -oE "mtu [0-9]+|state [A-Z]+"; ip -o addr show dev dev0 | sed -E "s/ +/ /g" | cut -d " " -f 2-4 | grep -v fe80'
  const { failures, output } = await root.run(taking({ run: ['/nowhere'], around: inside(links, state) }))
  expect(failures).toMatchObject([{ step: 'create' }])
  expect(output.trim().split('\n').sort()).toEqual([
    'dev0 inet 10.7.0.1/24',
    'dev0 inet6 fd07::1/64',
    'mtu 1300',
    'state UP',
  ])
})

test.each([[['delete']], [['delete', '--force']]])(
  'a container that was created and never started gives the link back: %s',
  async (words) => {
    await using command = await Command.make()
    const { path, id } = await command.bundle('true', (config) => {
      config.linux.netDevices = { dev0: { name: 'eth7' } }
    })
    const verb = `${program} --root ${command.states}`
    const show =
      'ip -o link show | grep -v ": far0" | grep -oE "^[0-9]+: [a-z0-9]+|mtu [0-9]+|state [A-Z]+" | cut -d " " -f 2 | xargs'
    const script = `${links}; ${verb} create --bundle ${path} ${id} </dev/null >/dev/null 2>&1; ${show}; ${verb} ${words.join(' ')} ${id}; ${show}; ip -o addr show dev dev0 | grep -c "10.7.0.1/24"`
    const { stdout } = await execute('unshare', ['-n', 'sh', '-c', script])
    expect(stdout).toBe('lo 65536 DOWN\nlo 65536 DOWN dev0 1300 UP\n1\n')
  },
)

test('a container that took a link is deleted right after its process was killed', async () => {
  await using command = await Command.make()
  const { path, id } = await command.bundle('true', (config) => {
    config.linux.netDevices = { dev0: {} }
  })
  const verb = `${program} --root ${command.states}`
  const create = `${verb} create --bundle ${path} --pid-file ${path}/pid ${id} </dev/null >/dev/null 2>&1`
  const script = `${links}; ${create}; kill -9 $(cat ${path}/pid) && ${verb} delete --force ${id}`
  // A process leaves its namespaces some milliseconds before it has ended.
  for (let round = 0; round < 40; round++) {
    expect(await execute('unshare', ['-n', 'sh', '-c', script])).toEqual({ stdout: '', stderr: '' })
  }
})

test.each([
  [{ dev0: { name: 'lo' } }, 'move the network link dev0: there is a lo already'],
  [{ nodev: {} }, 'find the network link nodev'],
  [{ dev0: { name: 'a' }, lo: {} }, 'move the network link lo: there is a lo already'],
])('%j is refused, and nothing has moved', async (netDevices, text) => {
  const { failures, output } = await root.run(taking({ run: 'echo ran', linux: { netDevices } as Partial<LinuxSpec> }))
  expect(failures).toMatchObject([{ step: 'create', text }])
  expect(output.trim().split('\n')).toEqual(['outside', ' lo', ' dev0'])
})

test.each([
  [{ dev0: { name: 'a/b' } }, "linux.netDevices.dev0: 'a/b' is not a name for a network link"],
  [
    { dev0: { name: 'sixteen-letters-' } },
    "linux.netDevices.dev0: 'sixteen-letters-' is not a name for a network link",
  ],
])('%j is no place to move to', async (netDevices, text) => {
  const { failures } = await root.run({ linux: { netDevices } as Partial<LinuxSpec> })
  expect(failures).toMatchObject([{ step: 'plan', text }])
})

test('the host’s own network takes no links', async () => {
  const { failures } = await root.run({
    linux: { namespaces: namespaces('mount', 'pid', 'uts'), netDevices: { dev0: {} } },
    keeper: { network: { kind: 'host' } },
  })
  expect(failures).toMatchObject([
    { step: 'plan', text: "linux.netDevices: needs a network namespace that is not the host's" },
  ])
})

test('a pair of links connects a container in a user namespace as any other', async () => {
  const { failures, output } = await root.run({
    run: 'ip -o addr show dev eth0 | sed -E "s/ +/ /g" | cut -d " " -f 2-4; ping -c 1 -W 5 10.8.0.1 | grep -c "1 packets received"; cat /sys/class/net/lo/operstate',
    around: inside(
      'ip link set lo up; ip link add br0 type bridge; ip link set br0 up; ip addr add 10.8.0.1/24 dev br0',
      'true',
    ),
    process: {
      capabilities: {
        bounding: ['CAP_NET_RAW'],
        effective: ['CAP_NET_RAW'],
        permitted: ['CAP_NET_RAW'],
        inheritable: [],
        ambient: [],
      },
    },
    linux: { namespaces: namespaces(...six, 'user'), uidMappings: maps, gidMappings: maps },
    keeper: {
      network: {
        kind: 'veth',
        hostLink: 'host0',
        bridge: 'br0',
        link: 'eth0',
        mac: '02:42:0a:08:00:02',
        mtu: 1500,
        addresses: ['10.8.0.2/24'],
        routes: [{ to: '0.0.0.0/0', via: '10.8.0.1', link: 'eth0' }],
      },
    },
  })
  expect(failures).toEqual([])
  expect(output.trim().split('\n')).toEqual(['eth0 inet 10.8.0.2/24', '1', 'unknown'])
})
