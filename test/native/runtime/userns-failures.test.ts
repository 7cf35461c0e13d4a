/** What fails on the way to a container in a user namespace is told with its step, and nothing stays. */
import { constants } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildInjector } from '../faults/injector.ts'
import type { BusyboxRoot, ContainerOptions } from './container.ts'
import { mapped, mappedRoot, namespaces, six, size } from './mapped-container.ts'

let root: BusyboxRoot

beforeAll(async () => {
  root = await mappedRoot()
})

afterAll(() => root[Symbol.asyncDispose]())

test('what fails names its step and leaves nothing', async () => {
  const cases: readonly [ContainerOptions, RegExp][] = [
    [mapped({ run: ['/nowhere'] }), /no such file or directory/],
    [
      mapped({ mounts: [{ destination: '/x', source: '/nowhere', options: ['bind'] }] }),
      /open '\/nowhere' to mount it on '\/x'/,
    ],
    [mapped({ mounts: [{ destination: '/x', type: 'nofs' }] }), /file system type 'nofs'/],
    [mapped({ process: { user: { uid: size, gid: 0 } } }), /set user 65536/],
    [
      mapped({ linux: { namespaces: [...namespaces(...six), { type: 'user', path: '/nowhere' }] } }),
      /open user namespace '\/nowhere'/,
    ],
    [
      mapped({ linux: { namespaces: [...namespaces(...six), { type: 'user', path: '/proc/self/ns/uts' }] } }),
      /enter user namespace '\/proc\/self\/ns\/uts'/,
    ],
  ]
  for (const [options, text] of cases) {
    const { failures } = await root.run(options)
    expect(failures).toMatchObject([{ step: 'create', text: expect.stringMatching(text) }])
  }
  expect(await root.cgroups()).toEqual([])
})

/** Runs the starter with one of its system calls failing: of which process (0 is the starter), the call's name and number, the errno. */
async function failing(...fail: readonly [process: number, name: string, k: number, errno: number]): Promise<string> {
  return `exec '${await buildInjector()}' --report '${root.path}/faults' --fail ${fail.join(' ')} -- "$@"`
}

test('a process that its stage could not hand over is gone with it', async () => {
  for (const process of [0, 1]) {
    const around = await failing(process, process === 0 ? 'recvmsg' : 'sendmsg', 1, constants.errno.EMFILE)
    const { failures } = await root.run(mapped({ around }))
    const text = process === 0 ? 'read from the other process' : 'hand over the new process'
    expect(failures).toEqual([{ step: 'create', errno: constants.errno.EMFILE, text }])
  }
  expect(await root.cgroups()).toEqual([])
})

test('limits of the host on namespaces are named, and are no lack of space', async () => {
  const reached = await root.run(mapped({ around: await failing(1, 'clone3', 1, constants.errno.ENOSPC) }))
  const forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
  const forbidden = await root.run(
    mapped({
      around: `exec unshare --user --map-root-user --mount sh -c '${forbid}' sh "$@"`,
      keeper: { rootfs: { kind: 'directory', path: root.rootfs, idMapped: true } },
    }),
  )
  expect([...reached.failures, ...forbidden.failures].map(({ text }) => text)).toEqual([
    'clone a process in new namespaces: a limit of this host is reached (/proc/sys/user/max_*_namespaces)',
    'make a user namespace for mounts: this host allows none (/proc/sys/user/max_user_namespaces is 0)',
  ])
})
