/** SELinux labels of processes, on a kernel that has SELinux; without a policy it knows its initial labels only. */
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
