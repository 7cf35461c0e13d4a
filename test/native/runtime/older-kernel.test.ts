/** What differs before kernel 6.5, in a virtual machine with Debian's kernel. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BusyboxRoot, driver } from './container.ts'

const machine = join(import.meta.dirname, '../../support/cgroup2-vm')

function runInMachine(script: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  execFile(machine, ['--timeout', '120', 'sh', script], { timeout: 280_000 }, (error, stdout, stderr) =>
    error ? reject(new Error(`${error.message}\n${stdout}${stderr}`)) : resolve(stdout),
  )
  return promise
}

test('an overlay of many layers is mounted without lowerdir+, and the host’s table does not show it', async () => {
  await using root = await BusyboxRoot.make()
  const layers = Array.from({ length: 60 }, (_, index) => `/run/snapshots/${index}/a:b,c`)
  const rootfs = {
    kind: 'overlay',
    path: '/run/mount',
    lower: [...layers, '/run/snapshots/base'],
    upper: '/run/snapshots/up',
    work: '/run/snapshots/work',
  }
  const options = { run: 'ls / | grep -c from-; echo x > /written; id -u', keeper: { rootfs } }
  await writeFile(join(root.path, 'config.json'), JSON.stringify(root.config(options)))
  await writeFile(join(root.path, 'keeper.json'), JSON.stringify(root.keeper(options)))

  const script = join(root.path, 'script')
  await writeFile(
    script,
    [
      'for i in $(seq 0 59); do mkdir -p "/run/snapshots/$i/a:b,c"; : > "/run/snapshots/$i/a:b,c/from-$i"; done',
      'mkdir -p /run/mount /run/snapshots/up /run/snapshots/work /run/snapshots/base',
      `cp -a '${root.rootfs}/.' /run/snapshots/base`,
      'cat /proc/self/mountinfo > /run/before',
      `cd '${root.path}' && '${driver}' config.json keeper.json - 3>&1`,
      'cat /proc/self/mountinfo > /run/after; cmp /run/before /run/after && echo unchanged; cat /run/snapshots/up/written',
    ].join('\n'),
  )
  const output = await runInMachine(script)
  const lines = output.split(/\r?\n/).filter((line) => !/^(pid|created) /.test(line))
  expect(lines.filter(Boolean)).toEqual(['60', '0', 'exited 0', 'released 0 ', 'unchanged', 'x'])
})
