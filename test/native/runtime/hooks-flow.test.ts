/** When hooks of each kind run, where, and what becomes of the container when one fails. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { HookKind, HookSpec } from '#oci/runtime-spec.ts'
import { BusyboxRoot } from './container.ts'

const kinds = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const
let root: BusyboxRoot

beforeAll(async () => {
  root = await BusyboxRoot.make()
})

afterAll(() => root[Symbol.asyncDispose]())

beforeEach(() => rm(join(root.path, 'log'), { force: true }))

/** A shell script that adds lines to the log; inside the container that is another file, which the test reads from outside. */
function script(text: string, timeout?: number): HookSpec {
  const args = ['sh', '-c', `exec >> ${root.path}/log; ${text}`]
  return {
    path: '/bin/sh',
    args,
    ...(timeout === undefined ? {} : { timeout }),
  }
}

async function lines(): Promise<readonly string[]> {
  const text = await readFile(join(root.path, 'log'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

/** In the container there is no way to the log, so these write to their own root. */
function inside(text: string): HookSpec {
  return { path: '/bin/sh', args: ['sh', '-c', text] }
}

test('hooks of all kinds run in the order of a life', async () => {
  const { failures, exitCode } = await root.run({
    run: 'cat /tmp/order > /proc/self/fd/1; exit 7',
    spec: {
      hooks: Object.fromEntries(
        kinds.map((kind) => [
          kind,
          kind === 'startContainer'
            ? [inside('echo startContainer > /tmp/order')]
            : [script(`echo ${kind} 1`), script(`echo ${kind} 2`)],
        ]),
      ),
    },
  })
  expect(failures).toEqual([])
  expect(exitCode).toBe(7)
  const outside = kinds.filter((kind) => kind !== 'startContainer')
  expect(await lines()).toEqual(outside.flatMap((kind) => [`${kind} 1`, `${kind} 2`]))
  expect(await readFile(join(root.rootfs, 'tmp/order'), 'utf8')).toBe('startContainer\n')
})

test('hooks may take as long together as each of them may', async () => {
  // Counted in 32 bits they would have a second.
  const timeouts = [2 ** 31 - 1, 2 ** 31 - 18]
  const { failures, exitCode } = await root.run({
    spec: { hooks: { createContainer: timeouts.map((timeout) => script('sleep 0.75; echo done', timeout)) } },
  })
  expect(failures).toEqual([])
  expect(exitCode).toBe(0)
  expect(await lines()).toEqual(['done', 'done'])
})

test('a hook is told the state in which it runs, and who the process is', async () => {
  const { failures } = await root.run({
    spec: {
      annotations: { 'a.b': 'c' },
      hooks: Object.fromEntries(
        kinds
          .filter((kind) => kind !== 'startContainer')
          .map((kind) => [kind, [script('cat; echo; readlink /proc/self/ns/mnt')]]),
      ),
    },
  })
  expect(failures).toEqual([])
  const told = await lines()
  const states = told.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  expect(states.map(({ status }) => status)).toEqual(['creating', 'creating', 'creating', 'running', 'stopped'])
  for (const state of states) expect(state).toMatchObject({ id: root.id, annotations: { 'a.b': 'c' } })
  const [prestart, runtime, container, poststart, poststop] = states
  expect(prestart.pid).toBeGreaterThan(1)
  expect([runtime.pid, container.pid, poststart.pid, poststop.pid]).toEqual([prestart.pid, 1, prestart.pid, undefined])
  const namespaces = told.filter((line) => line.startsWith('mnt'))
  expect(new Set(namespaces.filter((_, index) => index !== 2)).size).toBe(1)
  expect(namespaces[2]).not.toBe(namespaces[0])
})

test('createRuntime finds the namespaces and mounts of the process, with the host still in sight', async () => {
  const { failures } = await root.run({
    mounts: [{ destination: '/seen', source: '/etc', options: ['bind', 'ro'] }],
    spec: {
      hooks: {
        createRuntime: [
          script(
            [
              'pid=$(sed -E "s/.*\\"pid\\":([0-9]+).*/\\1/")',
              `grep -c " ${root.rootfs}/seen " /proc/$pid/mountinfo`,
              'test -e /proc/$pid/root/etc/debian_version && echo host',
            ].join('; '),
          ),
        ],
      },
    },
  })
  expect(failures).toEqual([])
  expect(await lines()).toEqual(['1', 'host'])
})

test('startContainer runs inside, as the user of the container', async () => {
  const { failures, output } = await root.run({
    run: 'cat /tmp/who',
    process: { user: { uid: 33, gid: 33 } },
    mounts: [{ destination: '/tmp', type: 'tmpfs', options: ['mode=1777'] }],
    spec: {
      hooks: {
        startContainer: [inside('{ busybox id -u; echo $$; cat; } > /tmp/who')],
      },
    },
  })
  expect(failures).toEqual([])
  expect(output.split('\n').slice(0, 1)).toEqual(['33'])
  expect(output).toContain('"status":"created"')
})

test.each(['prestart', 'createRuntime', 'createContainer'] as const)(
  'a %s hook that fails ends the creation, and poststop hooks follow',
  async (kind: HookKind) => {
    const { failures, exitCode, output } = await root.run({
      run: 'echo ran',
      spec: {
        hooks: {
          [kind]: [script('echo no way >&2; exit 3'), script('echo second')],
          poststop: [script('echo poststop')],
        },
      },
    })
    expect(failures).toMatchObject([{ step: 'create' }])
    expect(failures[0]?.text).toContain(`${kind} hook 0 '/bin/sh': exited with status 3: no way`)
    expect(exitCode).toBeUndefined()
    expect(output).toBe('')
    expect(await lines()).toEqual(['poststop'])
    expect(await root.cgroups()).toEqual([])
  },
)

test('a startContainer hook that fails ends the start', async () => {
  const { failures, output } = await root.run({
    run: 'echo ran',
    spec: {
      hooks: {
        startContainer: [inside('exit 4')],
        poststart: [script('echo no')],
        poststop: [script('echo poststop')],
      },
    },
  })
  expect(failures).toMatchObject([{ step: 'start' }])
  expect(failures[0]?.text).toContain("startContainer hook 0 '/bin/sh': exited with status 4")
  expect(output).toBe('')
  expect(await lines()).toEqual(['poststop'])
})

test('a poststart hook that fails stops the container', async () => {
  const { failures, exitCode } = await root.run({
    run: 'sleep 1000',
    spec: {
      hooks: {
        poststart: [inside('exit 5')],
        poststop: [script('echo poststop')],
      },
    },
  })
  expect(failures).toMatchObject([{ step: 'start' }])
  expect(failures[0]?.text).toContain("poststart hook 0 '/bin/sh': exited with status 5")
  expect(exitCode).toBeUndefined()
  expect(await lines()).toEqual(['poststop'])
})

test('poststop hooks all run, and the first failure is told', async () => {
  const { failures, exitCode } = await root.run({
    spec: { hooks: { poststop: [script('echo 1; exit 1'), script('echo 2')] } },
  })
  expect(exitCode).toBe(0)
  expect(failures).toMatchObject([{ step: 'released' }])
  expect(failures[0]?.text).toContain("poststop hook 0 '/bin/sh': exited with status 1")
  expect(await lines()).toEqual(['1', '2'])
})

test('a hook that takes too long is killed, and so is the creation', async () => {
  const { failures } = await root.run({
    spec: { hooks: { createContainer: [script('sleep 1000', 1)] } },
  })
  expect(failures).toMatchObject([{ step: 'create' }])
  expect(failures[0]?.text).toContain("createContainer hook 0 '/bin/sh': did not end within 1 s")
})

test('a container that a poststart hook froze before it failed is ended all the same', async () => {
  const freeze = [
    `echo FROZEN > /sys/fs/cgroup/freezer${root.cgroup}/freezer.state || echo 1 > /sys/fs/cgroup${root.cgroup}/cgroup.freeze`,
    'exit 6',
  ]
  const { failures } = await root.run({
    run: 'sleep 1000',
    spec: { hooks: { poststart: [inside(freeze.join('; '))] } },
  })
  expect(failures).toMatchObject([{ step: 'start', text: expect.stringContaining('exited with status 6') }])
  expect(await root.cgroups()).toEqual([])
})
