import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BusyboxRoot, driver } from './runtime/container.ts'

const repository = join(import.meta.dirname, '../..')
const machine = join(repository, 'test/support/cgroup2-vm')

/** Runs a script in the virtual machine.   @returns what it printed, and its exit status */
function runInMachine(script: string): Promise<{ output: string; status: number | string | null | undefined }> {
  const { promise, resolve } = Promise.withResolvers<{ output: string; status: number | string | null | undefined }>()
  const args = ['--timeout', '120', 'sh', '-c', script]
  execFile(machine, args, { timeout: 280_000 }, (error, stdout, stderr) =>
    resolve({ output: stdout + stderr, status: error ? error.code : 0 }),
  )
  return promise
}

test('a container is limited, sees its limits, and leaves nothing on a host with cgroup v2', async () => {
  await using root = await BusyboxRoot.make()
  const run = [
    'cat /proc/self/cgroup',
    'cd /sys/fs/cgroup',
    'for file in memory.max memory.swap.max memory.low pids.max cpu.max cpu.weight cpuset.cpus; do echo "$file $(cat $file)"; done',
    'head -c 1 /dev/zero | wc -c',
    'mknod /tmp/kmsg c 1 11',
    'head -c 1 /tmp/kmsg 2>&1',
    'echo 1 >pids.max',
  ].join('\n')
  const config = root.config({
    run,
    linux: {
      resources: {
        memory: { limit: 64 << 20, swap: 96 << 20, reservation: 32 << 20 },
        cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0' },
        pids: { limit: 20 },
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', access: 'm' },
          { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
        ],
      },
    },
  })
  await writeFile(join(root.path, 'config.json'), JSON.stringify(config))
  await writeFile(join(root.path, 'keeper.json'), JSON.stringify(root.keeper({})))

  const { output, status } = await runInMachine(
    `cd '${root.path}' && '${driver}' config.json keeper.json - 3>&1 2>&1; echo left: $(ls /sys/fs/cgroup | grep berth)`,
  )
  expect(status, output).toBe(0)
  const lines = output.split('\n')
  for (const line of [
    '0::/',
    'memory.max 67108864',
    'memory.swap.max 33554432',
    'memory.low 33554432',
    'pids.max 20',
    'cpu.max 50000 100000',
    'cpu.weight 59',
    'cpuset.cpus 0',
    '1',
    'left:',
  ]) {
    expect(lines, output).toContain(line)
  }
  expect(output).toMatch(/\/tmp\/kmsg: Operation not permitted/)
  expect(output).toMatch(/pids\.max: (Read-only file system|Permission denied)/)
  expect(output).toMatch(/^exited 1$/m)
})
