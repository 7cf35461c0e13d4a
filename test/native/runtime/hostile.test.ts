/** What an image, or a container that shares a directory, may try while another one is made. */
import { execFile, spawn } from 'node:child_process'
import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildRuntimeProgram } from '#test/support/native-program.ts'
import { BusyboxRoot } from './container.ts'

const execute = promisify(execFile)
let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

/** Exchanges two names all the time.   @returns ends it, and tells how often it did */
function exchange(program: string, a: string, b: string): () => Promise<number> {
  const child = spawn(program, [a, b], { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return async () => {
    child.stdin.end()
    await ended
    return Number(output)
  }
}

test('a mount point that turns into a link and back never leads a mount out of the root', async () => {
  const program = await buildRuntimeProgram('swap')
  const victim = join(root.path, 'victim')
  await mkdir(victim)
  await writeFile(join(victim, 'file'), 'secret')
  await mkdir(join(root.rootfs, 'shared/inner'), { recursive: true })
  await symlink(victim, join(root.rootfs, 'shared/link'))
  const stop = exchange(program, join(root.rootfs, 'shared/inner'), join(root.rootfs, 'shared/link'))

  for (let round = 0; round < 60; round++) {
    const { output } = await root.run({
      run: 'cat /shared/inner/file /shared/link/file 2>/dev/null',
      mounts: [
        { destination: '/shared/inner/deep', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/shared/inner/file', type: 'bind', source: '/etc/hostname', options: ['bind'] },
      ],
    })
    expect(output).not.toContain('secret')
    expect(await readdir(victim)).toEqual(['file'])
  }
  expect(await stop()).toBeGreaterThan(1000)
})

test('a tmpfs that begins with a copy never has what a link leads to, or a device, in the place of a file', async () => {
  const program = await buildRuntimeProgram('swap')
  const secret = join(root.path, 'secret')
  await writeFile(secret, 'secret of the host')
  const image = join(root.rootfs, 'copied')
  await mkdir(join(image, 'real'), { recursive: true })
  await writeFile(join(image, 'real/file'), 'content')
  await symlink(root.path, join(image, 'link'))
  await writeFile(join(image, 'file'), 'content')
  await symlink(secret, join(image, 'to-secret'))
  const directories = exchange(program, join(image, 'real'), join(image, 'link'))
  const files = exchange(program, join(image, 'file'), join(image, 'to-secret'))

  let copied = 0
  for (let round = 0; round < 30; round++) {
    const { output, failures } = await root.run({
      run: 'find /copied -type f | xargs cat',
      mounts: [{ destination: '/copied', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }],
    })
    // Whoever changes the image may make the creation fail, and no more.
    copied += failures.length === 0 ? 1 : 0
    expect(output).not.toContain('secret of the host')
  }
  expect(copied).toBeGreaterThan(0)
  expect(await directories()).toBeGreaterThan(1000)
  expect(await files()).toBeGreaterThan(1000)
})

test('a mount that is changed in place is never that of another place, however often the place is exchanged', async () => {
  const program = await buildRuntimeProgram('swap')
  const shared = join(root.path, 'changed')
  await mkdir(join(shared, 'm'), { recursive: true })
  await symlink('/sys', join(shared, 'link'))
  const stop = exchange(program, join(shared, 'm'), join(shared, 'link'))
  for (let round = 0; round < 30; round++) {
    const { output } = await root.run({
      run: 'grep " /sys " /proc/self/mountinfo',
      mounts: [
        { destination: '/shared', type: 'bind', source: shared, options: ['rbind'] },
        { destination: '/shared/m', options: ['remount', 'bind', 'noatime'] },
      ],
    })
    expect(output).not.toContain('noatime')
  }
  expect(await stop()).toBeGreaterThan(1000)
})

test('conditions on one argument are alternatives, others must all hold, and calls newer than the profile do not exist', async () => {
  await copyFile(await buildRuntimeProgram('probe'), join(root.rootfs, 'bin/probe'))
  await chmod(join(root.rootfs, 'bin/probe'), 0o755)
  const when = (index: number, value: number): object => ({ index, value, op: 'SCMP_CMP_EQ' })
  // personality is 135 on x86_64 and 92 on arm64; socket 41 and 198; EAFNOSUPPORT is its answer to a family that is none.
  const [personality, socket] = process.arch === 'arm64' ? [92, 198] : [135, 41]
  const { output } = await root.run({
    run: [
      ...[0, 8, 7].map((value) => `probe ${personality} ${value}`),
      ...['1 1', '1 2', '2 1'].map((args) => `probe ${socket} ${args} 0`),
      'probe 700',
    ].join('; '),
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      syscalls: [
        { names: await everyCall(), action: 'SCMP_ACT_ALLOW' },
        { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [when(0, 0), when(0, 8)] },
        { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [when(0, 1), when(1, 1)] },
      ],
    },
  })
  expect(output.trim().split('\n')).toEqual(['0', '0', '1', '0', '1', '1', '38'])
})

/** What busybox and a shell need, and everything else but the two calls in question. */
async function everyCall(): Promise<string[]> {
  const { stdout } = await execute('sh', [
    '-c',
    "printf '#include <sys/syscall.h>' | gcc -E -dM - | sed -n 's/^#define __NR_\\([a-z0-9_]*\\) .*/\\1/p'",
  ])
  return stdout.split('\n').filter((name) => name !== '' && name !== 'personality' && name !== 'socket')
}
