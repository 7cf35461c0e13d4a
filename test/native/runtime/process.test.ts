/** Processes of a container: terminals, execs, programs that cannot be run. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BusyboxRoot } from './container.ts'

const { errno } = constants
let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

test('a terminal has its size, is the controlling one and shows as /dev/console', async () => {
  const { output, exitCode } = await root.run({
    run: 'tty; stty size; echo hello > /dev/console; echo to-tty > /dev/tty; stat -c %t:%T /dev/console; test -t 0',
    process: { terminal: true, consoleSize: { height: 33, width: 99 } },
  })
  expect(output).toBe('/dev/pts/0\n33 99\nhello\nto-tty\n88:0\n')
  expect(exitCode).toBe(0)
})

test('a terminal belongs to the user of the process', async () => {
  const { output } = await root.run({
    run: 'stat -c %u /dev/pts/0',
    process: { terminal: true, user: { uid: 77, gid: 77 } },
  })
  expect(output.trim()).toBe('77')
})

test('an exec is inside: namespaces, cgroup, root, capabilities', async () => {
  const look =
    'for n in pid mnt net cgroup uts ipc; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup; ls -id /'
  const { output, execCodes } = await root.run({
    run: `{ ${look}; } > /tmp/init; touch /tmp/ready; while ! test -e /tmp/done; do sleep 0.02; done`,
    execs: [
      {
        args: [
          'sh',
          '-c',
          `while ! test -e /tmp/ready; do sleep 0.02; done; { ${look}; } > /tmp/exec; grep CapInh /proc/self/status; touch /tmp/done`,
        ],
      },
    ],
  })
  expect(execCodes).toEqual([0])
  expect(output).toBe('CapInh:\t0000000000000000\n')
  expect(await readFile(join(root.rootfs, 'tmp/exec'), 'utf8')).toBe(
    await readFile(join(root.rootfs, 'tmp/init'), 'utf8'),
  )
  for (const name of ['init', 'exec', 'ready', 'done']) await rm(join(root.rootfs, 'tmp', name))
})

test('an exec has its own additional groups and no others', async () => {
  const { output, execCodes } = await root.run({
    run: 'while ! test -e /tmp/done; do sleep 0.02; done',
    process: { user: { uid: 0, gid: 0, additionalGids: [5] } },
    execs: [
      {
        args: ['sh', '-c', 'grep Groups: /proc/self/status; touch /tmp/done'],
        user: { uid: 0, gid: 3, additionalGids: [7, 8] },
      },
    ],
  })
  expect(execCodes).toEqual([0])
  expect(output).toBe('Groups:\t7 8 \n')
  await rm(join(root.rootfs, 'tmp/done'))
})

test('an exec gets a terminal of its own', async () => {
  const { output, execCodes } = await root.run({
    run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
    execs: [{ args: ['sh', '-c', 'tty; test -t 1; echo $?; touch /tmp/done'], terminal: true }],
  })
  expect(execCodes).toEqual([0])
  expect(output).toBe('/dev/pts/0\n0\n')
})

test('no descriptor of the runtime reaches the process or an exec', async () => {
  const { output } = await root.run({
    run: 'ls /proc/self/fd; while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
    execs: [{ args: ['sh', '-c', 'ls /proc/self/fd; touch /tmp/done'] }],
  })
  expect(output).toBe('0\n1\n2\n3\n0\n1\n2\n3\n') // 3 is ls reading the directory
})

const missing = 'executable file not found in $PATH'
test.each([
  [['nosuch'], errno.ENOENT, `exec: "nosuch": ${missing}`],
  [[''], errno.ENOENT, `exec: "": ${missing}`],
  [['/nosuch'], errno.ENOENT, 'exec: "/nosuch": stat /nosuch: no such file or directory'],
  [['./nosuch'], errno.ENOENT, 'exec: "./nosuch": stat ./nosuch: no such file or directory'],
  [['/etc'], errno.EISDIR, 'exec: "/etc": is a directory'],
  [['/etc/plain'], errno.EACCES, 'exec: "/etc/plain": permission denied'],
  [['/etc/text'], errno.ENOEXEC, 'exec /etc/text: exec format error'],
  [['/etc/interpreter'], errno.ENOENT, 'exec /etc/interpreter: no such file or directory'],
])('a program that cannot be run is told as Docker’s clients know it: %j', async (args, code, text) => {
  await writeFile(join(root.rootfs, 'etc/plain'), 'x')
  await writeFile(join(root.rootfs, 'etc/text'), 'x', { mode: 0o755 })
  await writeFile(join(root.rootfs, 'etc/interpreter'), '#!/no/such\n', { mode: 0o755 })
  const { failures, exitCode } = await root.run({ run: args })
  expect(failures).toEqual([{ step: expect.stringMatching(/create|start/), errno: code, text }])
  expect(exitCode).toBeUndefined()
})

test('a program that an exec cannot find leaves the container running', async () => {
  const { failures, exitCode } = await root.run({
    run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done; exit 5',
    execs: [{ args: ['nosuch'] }, { args: ['true'], cwd: '/no/where' }, { args: ['touch', '/tmp/done'] }],
  })
  expect(failures).toEqual([
    { step: 'exec 0', errno: errno.ENOENT, text: `exec: "nosuch": ${missing}` },
    {
      step: 'exec 1',
      errno: errno.ENOENT,
      text: 'chdir to cwd ("/no/where") set in config.json failed: no such file or directory',
    },
  ])
  expect(exitCode).toBe(5)
})

test('a missing working directory is made, below the root', async () => {
  const { output } = await root.run({ run: 'pwd', process: { cwd: '/made/for/us' } })
  expect(output).toBe('/made/for/us\n')
})

const descriptors = Array.from({ length: 62 }, (_, index) => index + 3)

test('a working directory of /proc/self/fd/3 to 64 never leads to the host', { timeout: 60_000 }, async () => {
  for (const descriptor of descriptors) {
    const { output, failures } = await root.run({ run: 'pwd; ls ..', process: { cwd: `/proc/self/fd/${descriptor}` } })
    expect(failures).toHaveLength(1)
    expect(output).toBe('')
  }
})

test('nor does that of an exec', async () => {
  const execs = descriptors.map((descriptor) => ({ args: ['ls', '..'], cwd: `/proc/self/fd/${descriptor}` }))
  const { output, failures, execCodes } = await root.run({
    run: 'while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done',
    execs: [...execs, { args: ['touch', '/tmp/done'] }],
  })
  expect(failures.map(({ step }) => step)).toEqual(execs.map((_, index) => `exec ${index}`))
  expect([output, execCodes]).toEqual(['', [0]])
})

test('the /dev/null of a running container is its own affair: an exec without stdin does not open it', async () => {
  const { output, execCodes } = await root.run({
    run: 'rm /dev/null; mkfifo /dev/null; touch /tmp/ready; while ! test -e /tmp/done; do sleep 0.02; done; rm /tmp/done /tmp/ready',
    execs: [
      { args: ['sh', '-c', 'while ! test -e /tmp/ready; do sleep 0.02; done'] },
      { args: ['sh', '-c', 'stat -Lc %t:%T /proc/self/fd/0; touch /tmp/done'] },
    ],
  })
  expect([output, execCodes]).toEqual(['1:3\n', [0, 0]])
})
