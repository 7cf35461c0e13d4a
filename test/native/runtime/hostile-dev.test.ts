/** What an image, or a bind that the user asked for, may put where the runtime looks for devices and settings (CVE-2025-31133, CVE-2025-52881). */
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BusyboxRoot } from './container.ts'

let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

const procOnly = [{ destination: '/proc', type: 'proc', source: 'proc' }]

test('masks are the host’s null device, whatever the container’s /dev/null is', async () => {
  const fake = join(root.path, 'dev-fake')
  await mkdir(fake)
  await writeFile(join(fake, 'null'), 'chosen by the container')
  await writeFile(join(root.rootfs, 'etc/secret'), 'secret')
  const { output, failures } = await root.run({
    run: 'cat /dev/null; echo; stat -c %t:%T /etc/secret; cat /etc/secret',
    onlyMounts: [...procOnly, { destination: '/dev', type: 'bind', source: fake, options: ['bind'] }],
    linux: { maskedPaths: ['/etc/secret'], readonlyPaths: [] },
  })
  expect(failures).toEqual([])
  expect(output).toBe('chosen by the container\n1:3\n')
})

test.each([
  ['a file', async (path: string) => writeFile(path, 'not a device')],
  ['a link to a file', async (path: string) => symlink('/etc/passwd', path)],
  ['a link out of the root', async (path: string) => symlink(join(root.path, 'outside'), path)],
])('a /dev/null of the image that is %s is refused', async (_, make) => {
  await rename(join(root.rootfs, 'dev'), join(root.rootfs, 'dev.real'))
  await mkdir(join(root.rootfs, 'dev'))
  await make(join(root.rootfs, 'dev/null'))
  const { failures, output } = await root.run({ run: 'cat /dev/null', onlyMounts: procOnly })
  await rm(join(root.rootfs, 'dev'), { recursive: true })
  await rename(join(root.rootfs, 'dev.real'), join(root.rootfs, 'dev'))
  expect(failures).toMatchObject([{ step: 'create', text: "make device 'null': something else stands there" }])
  expect(output).toBe('')
})

const devpts = { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] }

// CVE-2025-52565
test('the multiplexer of other terminals, mounted over the container’s own, gives it none of them', async () => {
  const { failures, output } = await root.run({
    run: 'tty',
    process: { terminal: true },
    mounts: [{ destination: '/dev/pts/ptmx', type: 'bind', source: '/dev/pts/ptmx', options: ['bind'] }],
  })
  expect(failures).toMatchObject([{ step: 'create', text: expect.stringContaining('open /dev/pts/ptmx') }])
  expect(output).toBe('')
})

test('a link of the image in the place of /dev/console cannot lead the terminal out of the root', async () => {
  const outside = join(root.path, 'outside')
  await writeFile(outside, 'of the host')
  await rename(join(root.rootfs, 'dev'), join(root.rootfs, 'dev.real'))
  await mkdir(join(root.rootfs, 'dev/pts'), { recursive: true })
  await symlink(outside, join(root.rootfs, 'dev/console'))
  await mkdir(join(root.rootfs, root.path), { recursive: true })
  const { failures, output } = await root.run({
    run: `stat -c %t:%T ${outside}`,
    process: { terminal: true },
    onlyMounts: [...procOnly, devpts],
  })
  await rm(join(root.rootfs, 'dev'), { recursive: true })
  await rename(join(root.rootfs, 'dev.real'), join(root.rootfs, 'dev'))
  expect(failures).toEqual([])
  expect(output).toBe('88:0\n')
})

test('a sysctl is never written to what was mounted over its file', async () => {
  const covered = join(root.path, 'covered')
  await writeFile(covered, 'untouched')
  const { failures } = await root.run({
    mounts: [{ destination: '/proc/sys/kernel/msgmax', type: 'bind', source: covered, options: ['bind'] }],
    linux: { sysctl: { 'kernel.msgmax': '9999' }, readonlyPaths: [] },
  })
  expect(await readFile(covered, 'utf8')).toBe('untouched')
  for (const failure of failures) expect(failure.text).toContain("sysctl 'kernel/msgmax'")
})

test('no process can hand capabilities to what it executes: CapInh is 0 in a run and in an exec', async () => {
  const { output } = await root.run({
    run: 'grep CapInh /proc/self/status; while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
    execs: [{ args: ['sh', '-c', 'grep CapInh /proc/self/status; touch /tmp/done'] }],
  })
  expect(output).toBe('CapInh:\t0000000000000000\n'.repeat(2))
})
