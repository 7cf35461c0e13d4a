/** Time namespaces, and namespaces that are joined by their paths. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readlink } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LinuxSpec, NamespaceType } from '#oci/runtime-spec.ts'
import { BusyboxRoot } from './container.ts'

let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(() => root[Symbol.asyncDispose]())

const six = ['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network'] as const

function namespaces(...types: NamespaceType[]): LinuxSpec['namespaces'] {
  return types.map((type) => ({ type }))
}

const uptime = async () => Number((await readFile('/proc/uptime', 'utf8')).split('.')[0])

test('a time namespace has the clocks that were asked, for execs too', async () => {
  const before = await uptime()
  const show = 'cut -d . -f 1 /proc/uptime; cat /proc/self/timens_offsets; readlink /proc/self/ns/time'
  const { failures, output, execCodes } = await root.run({
    run: `${show}; touch /tmp/ready; while [ ! -e /tmp/done ]; do sleep 0.05; done; rm /tmp/done /tmp/ready`,
    linux: {
      namespaces: namespaces(...six, 'time'),
      timeOffsets: { boottime: { secs: 1_000_000, nanosecs: 5 }, monotonic: { secs: 2_000_000 } },
    },
    execs: [{ args: ['sh', '-c', `while [ ! -e /tmp/ready ]; do sleep 0.05; done; ${show}; touch /tmp/done`] }],
  })
  const after = await uptime()
  expect(failures).toEqual([])
  expect(execCodes).toEqual([0])
  const lines = output.trim().split('\n')
  for (const index of [0, 4]) {
    expect(Number(lines[index])).toBeGreaterThanOrEqual(before + 1_000_000)
    expect(Number(lines[index])).toBeLessThanOrEqual(after + 1_000_001)
    expect(lines.slice(index + 1, index + 3).map((line) => line.split(/\s+/))).toEqual([
      ['monotonic', '2000000', '0'],
      ['boottime', '1000000', '5'],
    ])
    expect(lines[index + 3]).not.toBe(await readlink('/proc/self/ns/time'))
  }
  expect(lines[7]).toBe(lines[3])
})

test('a time namespace without offsets is one of its own', async () => {
  const { failures, output } = await root.run({
    run: 'readlink /proc/self/ns/time; echo $$',
    linux: { namespaces: namespaces(...six, 'time') },
  })
  expect(failures).toEqual([])
  const [time, pid] = output.trim().split('\n')
  expect(time).not.toBe(await readlink('/proc/self/ns/time'))
  expect(pid).toBe('1')
})

test('time and user namespaces go together', async () => {
  const maps = [{ containerID: 0, hostID: 0, size: 1000 }]
  const { failures, output } = await root.run({
    run: 'cat /proc/self/timens_offsets; id -u',
    linux: {
      namespaces: namespaces(...six, 'time', 'user'),
      timeOffsets: { monotonic: { secs: -1 } },
      uidMappings: maps,
      gidMappings: maps,
    },
  })
  expect(failures).toEqual([])
  expect(output.split('\n').map((line) => line.split(/\s+/))).toEqual([
    ['monotonic', '-1', '0'],
    ['boottime', '0', '0'],
    ['0'],
    [''],
  ])
})

test('clocks cannot be set before the machine’s beginning', async () => {
  const { failures } = await root.run({
    linux: { namespaces: namespaces(...six, 'time'), timeOffsets: { boottime: { secs: -1_000_000_000 } } },
  })
  expect(failures).toMatchObject([{ step: 'create', text: 'set the offset of clock 7 by -1000000000 s' }])
})

test('time and other namespaces are joined by their paths', async () => {
  const other = spawn(
    'unshare',
    [
      '--time',
      '--fork',
      '--kill-child',
      '--boottime',
      '777',
      '--net',
      '--uts',
      'sh',
      '-c',
      'echo ready; exec sleep 1000',
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  try {
    await once(other.stdout, 'data')
    const pid = (await readFile(`/proc/${other.pid}/task/${other.pid}/children`, 'utf8')).trim()
    const types = ['time', 'network', 'uts'] as const
    const file = { time: 'time', network: 'net', uts: 'uts' }
    const { failures, output } = await root.run({
      run: 'for n in time net uts; do readlink /proc/self/ns/$n; done; cat /proc/self/timens_offsets',
      spec: { hostname: '' },
      linux: {
        namespaces: [
          ...namespaces('mount', 'pid', 'ipc', 'cgroup'),
          ...types.map((type) => ({ type, path: `/proc/${pid}/ns/${file[type]}` })),
        ],
      },
    })
    expect(failures).toEqual([])
    const lines = output.trim().split('\n')
    expect(lines.slice(0, 3)).toEqual(await Promise.all(types.map((type) => readlink(`/proc/${pid}/ns/${file[type]}`))))
    expect(lines[4]?.split(/\s+/)).toEqual(['boottime', '777', '0'])
  } finally {
    other.kill('SIGKILL')
    await once(other, 'exit')
  }
})

test.each([
  ['/proc/self/ns/uts', 'network', 'enter the network namespace'],
  ['/nowhere', 'ipc', "open ipc namespace '/nowhere'"],
] as const)('%s is not taken for a %s namespace', async (path, type, text) => {
  const { failures } = await root.run({
    linux: { namespaces: [...namespaces('mount', 'pid', 'cgroup', 'uts'), { type, path }] },
    keeper: { network: { kind: 'host' } },
  })
  expect(failures).toMatchObject([{ step: 'create', text }])
  expect(await root.cgroups()).toEqual([])
})
