/** AppArmor, on a kernel that has it: the default profile is loaded, put on processes, and does what it says. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultProfile, defaultProfileName } from '#containers/spec/apparmor-profile.ts'
import { dockerCapabilities } from '#test/support/docker-bundle.ts'
import { BusyboxRoot, driver } from './runtime/container.ts'

const repository = join(import.meta.dirname, '../..')
const machine = join(repository, 'test/support/cgroup2-vm')

function runInMachine(script: string): Promise<{ output: string; status: number | string | null | undefined }> {
  const { promise, resolve } = Promise.withResolvers<{ output: string; status: number | string | null | undefined }>()
  const args = ['--timeout', '200', '--append', 'apparmor=1 security=apparmor', 'sh', script]
  execFile(machine, args, { timeout: 280_000 }, (error, stdout, stderr) =>
    resolve({ output: stdout + stderr, status: error ? error.code : 0 }),
  )
  return promise
}

const capabilities = [...dockerCapabilities, 'CAP_SYS_ADMIN']
const everything = {
  bounding: capabilities,
  effective: capabilities,
  permitted: capabilities,
  inheritable: [],
  ambient: [],
}
/** What the profile forbids is asked for with every right that would otherwise do. */
const look = [
  'cat /proc/self/attr/apparmor/current',
  'mount -t tmpfs tmpfs /tmp 2>/dev/null && echo mounted || echo no mount',
  'echo 60 2>/dev/null >/proc/sys/vm/swappiness && echo written || echo no write',
  'echo 99 >/proc/sys/kernel/shm_rmid_forced 2>/dev/null; touch /tmp/file && echo files',
].join('; ')

test('processes and execs are under their profile, and it holds', { timeout: 300_000 }, async () => {
  await using root = await BusyboxRoot.make()
  const write = (name: string, document: object | string) =>
    writeFile(join(root.path, name), typeof document === 'string' ? document : JSON.stringify(document))
  const config = (run: string, apparmorProfile: string, linux: object = {}) =>
    root.config({
      run,
      process: { apparmorProfile, capabilities: everything },
      linux: { readonlyPaths: [], maskedPaths: [], ...linux },
    })
  const exec = config(
    `while ! test -e /tmp/ready; do sleep 0.1; done; ${look}; touch /tmp/done`,
    defaultProfileName,
  ).process
  await write('profile', defaultProfile())
  await write(
    'default.json',
    config(`${look}; touch /tmp/ready; while ! test -e /tmp/done; do sleep 0.1; done`, defaultProfileName),
  )
  await write('exec.json', exec)
  await write('unconfined.json', config(look, 'unconfined'))
  await write('missing.json', config('true', 'berth-no-such-profile'))
  await write('keeper.json', root.keeper({}))

  const run = (name: string, ...execs: string[]) =>
    `echo "== ${name}"; '${driver}' ${name}.json keeper.json - ${execs.join(' ')} 3>&1 2>&1 | grep -v ms$`
  const script = [
    'mount -t securityfs securityfs /sys/kernel/security',
    `cd '${root.path}'`,
    '/usr/sbin/apparmor_parser --replace --skip-cache <profile',
    run('default', 'exec.json'),
    run('unconfined'),
    run('missing'),
    'echo ==',
  ]
  await write('script', script.join('\n'))
  const { output, status } = await runInMachine(join(root.path, 'script'))
  expect(status, output).toBe(0)
  const part = (name: string) => output.split(`== ${name}\n`)[1]?.split('==')[0] ?? output
  const confined = `${defaultProfileName} (enforce)\nno mount\nno write\nfiles\n`
  expect(part('default').replace(/^pid.*\n/m, '')).toBe(
    `${confined}${confined}exec 0 exited 0\nexited 0\nreleased 0 \n`,
  )
  expect(part('unconfined')).toContain('unconfined\nmounted\nwritten\nfiles\n')
  expect(part('missing')).toContain("create 2 AppArmor profile 'berth-no-such-profile' is not loaded\n")
})
