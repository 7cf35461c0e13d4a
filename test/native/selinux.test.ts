/** SELinux labels, on a kernel that has SELinux: with its initial labels only, and with a small policy that enforces nothing. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BusyboxRoot, driver } from './runtime/container.ts'

const repository = join(import.meta.dirname, '../..')
const machine = join(repository, 'test/support/cgroup2-vm')

function runInMachine(script: string): Promise<{ output: string; status: number | string | null | undefined }> {
  const { promise, resolve } = Promise.withResolvers<{ output: string; status: number | string | null | undefined }>()
  const args = ['--timeout', '200', '--append', 'selinux=1 security=selinux', 'sh', script]
  execFile(machine, args, { timeout: 280_000 }, (error, stdout, stderr) =>
    resolve({ output: stdout + stderr, status: error ? error.code : 0 }),
  )
  return promise
}

/** keyctl_get_security(3) of the session's keyring. */
const keyringLabel = `import ctypes
text = ctypes.create_string_buffer(256)
ctypes.CDLL(None).syscall(250, 17, -3, text, 256)
print("keyring", text.value.decode(), flush=True)`

test('a process and an exec have the label that was asked for', { timeout: 300_000 }, async () => {
  await using root = await BusyboxRoot.make()
  const write = (name: string, content: string) => writeFile(join(root.path, name), content)
  const config = (run: string, selinuxLabel: string) => JSON.stringify(root.config({ run, process: { selinuxLabel } }))
  // In one write: what the two print stands in one file.
  const look = 'echo "$(tr -d "\\000" </proc/self/attr/current)"'
  const exec = root.config({ run: `${look}; touch /tmp/done`, process: { selinuxLabel: 'file' } }).process
  await write('init.json', config(`${look}; while ! test -e /tmp/done; do sleep 0.1; done; ${look}`, 'unlabeled'))
  await write('exec.json', JSON.stringify(exec))
  await write('keeper.json', JSON.stringify(root.keeper({})))
  await write(
    'script',
    `cd '${root.path}' && '${driver}' init.json keeper.json - exec.json 3>report 2>&1; cat report\n`,
  )
  const { output, status } = await runInMachine(join(root.path, 'script'))
  expect(status, output).toBe(0)
  const lines = output.split('\n')
  expect(lines.slice(0, 2).sort()).toEqual(['file', 'unlabeled'])
  expect(lines[2]).toBe('unlabeled')
  expect(output).toContain('exec 0 exited 0\nexited 0\nreleased 0 \n')
})

test('file systems have the label that was asked for, a container of a policy its own', {
  timeout: 300_000,
}, async () => {
  await using root = await BusyboxRoot.make()
  const write = (name: string, content: string) => writeFile(join(root.path, name), content)
  const label = 'u:object_r:content:s0:c1,c2'
  const overlay = {
    kind: 'overlay',
    path: '/run/o/root',
    lower: [root.rootfs],
    upper: '/run/o/up',
    work: '/run/o/work',
  }
  const config = root.config({
    run: `tr -d "\\000" </proc/self/attr/current; echo; chroot /host python3 -c '${keyringLabel}'; touch /plain/ready; while ! test -e /plain/done; do sleep 0.1; done`,
    process: { selinuxLabel: 'u:r:container:s0:c1,c2' },
    mounts: [
      { destination: '/t', type: 'tmpfs', source: 'tmpfs' },
      { destination: '/host', type: 'bind', source: '/', options: ['bind', 'ro'] },
      { destination: '/plain', type: 'bind', source: '/run/plain', options: ['bind'] },
    ],
  })
  await write('config.json', JSON.stringify({ ...config, linux: { ...config.linux, mountLabel: label } }))
  await write(
    'wrong.json',
    JSON.stringify({ ...config, linux: { ...config.linux, mountLabel: 'u:object_r:nothing:s0' } }),
  )
  await write('keeper.json', JSON.stringify(root.keeper({ keeper: { rootfs: overlay } })))
  await write(
    'script',
    `mkdir -p /run/se /run/o/root /run/o/up /run/o/work /run/plain && mount -t selinuxfs selinuxfs /run/se || exit 1
cp '${join(import.meta.dirname, 'selinux-policy.bin')}' /run/policy
dd if=/run/policy of=/run/se/load bs=64k 2>/dev/null || exit 1
cd '${root.path}'
'${driver}' wrong.json keeper.json - 3>report 2>&1; cat report
'${driver}' config.json keeper.json - 3>report 2>&1 &
until test -e /run/plain/ready || grep -q zombie /proc/$!/status; do sleep 0.1; done
for pid in $(cat /proc/$!/task/$!/children); do cd /proc/$pid/root && ls -Zd ./ ./bin ./t ./dev/mqueue ./dev/pts ./plain ./proc/acpi; done
touch /run/plain/done; wait; cat '${root.path}/report'
`,
  )
  const { output, status } = await runInMachine(join(root.path, 'script'))
  expect(status, output).toBe(0)
  expect(output).toContain("create 22 SELinux label 'u:object_r:nothing:s0' of the root filesystem")
  expect(output).toContain('u:r:container:s0:c1,c2\nkeyring u:r:container:s0:c1,c2\n')
  for (const place of ['./', './bin', './t', './dev/mqueue', './dev/pts', './proc/acpi'])
    expect(output).toContain(`${label} ${place}\n`)
  expect(output).toMatch(/^ *u:object_r:t:s0 +\.\/plain$/m)
  expect(output).toContain('exited 0\nreleased 0 \n')
})
