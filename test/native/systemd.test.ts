import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildNativeTest, runNativeTest } from '#test/support/native-program.ts'
import { BusyboxRoot } from './runtime/container.ts'

const support = join(import.meta.dirname, '..', 'support')

test('without systemd a scope is refused', async () => {
  const program = await buildNativeTest('systemd_scope_test')
  const { failures, output } = await runNativeTest([program], 60_000)
  expect(failures).toEqual([])
  expect(output).not.toContain('# systemd')
})

test('where systemd is process 1 it makes, changes and forgets the scopes of containers', async () => {
  const program = await buildNativeTest('systemd_scope_test')
  const command = [join(support, 'cgroup2-vm'), '--timeout', '120', join(support, 'with-systemd'), program]
  const { failures, output } = await runNativeTest(command, 280_000)
  expect(failures).toEqual([])
  expect(output).toContain('# systemd')
})

test('the command makes containers in scopes, limits them, and forgets them', async () => {
  await using root = await BusyboxRoot.make()
  const resources = { memory: { limit: 64 << 20 }, pids: { limit: 20 } }
  const linux = { cgroupsPath: 'machine-berth.slice:berth:box', resources }
  await writeFile(
    join(root.path, 'config.json'),
    JSON.stringify(root.config({ run: 'sleep 600', linux, spec: { root: { path: root.rootfs } } })),
  )
  const runtime = join(import.meta.dirname, '../../build/native/berth-runtime')
  const script = [
    `cd '${root.path}'`,
    'export SYSTEMD_IGNORE_CHROOT=1 SYSTEMD_COLORS=0 SYSTEMD_URLIFY=0 TERM=dumb',
    `berth() { '${runtime}' --root /run/berth --systemd-cgroup "$@"; }`,
    'berth run --detach box </dev/null >/run/said 2>&1 || { echo failed; cat /run/said; }',
    'systemctl show -p ControlGroup,MemoryMax,TasksMax,ActiveState berth-box.scope',
    'berth state box | grep -o \'"status": *"[a-z]*"\'',
    'berth delete --force box; echo deleted $?',
    'until systemctl show -p ActiveState berth-box.scope | grep inactive; do sleep 0.1; done',
    'ls /sys/fs/cgroup/machine.slice/machine-berth.slice | grep scope',
    `'${runtime}' --root /run/berth run other`,
  ].join('\n')
  const { promise, resolve } = Promise.withResolvers<string>()
  await writeFile(join(root.path, 'script'), script)
  const command = ['--timeout', '120', join(support, 'with-systemd'), 'sh', join(root.path, 'script')]
  execFile(join(support, 'cgroup2-vm'), command, { timeout: 280_000 }, (_, stdout, stderr) => resolve(stdout + stderr))
  const output = await promise
  for (const line of [
    'ControlGroup=/machine.slice/machine-berth.slice/berth-box.scope',
    'MemoryMax=67108864',
    'TasksMax=20',
    'ActiveState=active',
    'deleted 0',
    'ActiveState=inactive',
  ])
    expect(output.split(/\r?\n/), output).toContain(line)
  expect(output).not.toMatch(/^failed$|^berth-box\.scope$/m)
  expect(output).toMatch(/"status": *"running"/)
  expect(output).toContain("linux.cgroupsPath: 'machine-berth.slice:berth:box' is systemd's; it needs --systemd-cgroup")
})
