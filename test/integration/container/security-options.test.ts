/** What --security-opt asks of a host that has neither SELinux nor AppArmor, which dockerd lets pass. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { hasKernelFeature } from '../../support/kernel.ts'

let daemon: TestDaemon

beforeAll(async () => {
  daemon = await startDaemon({ args: ['--selinux-enabled'] })
})

afterAll(() => daemon[Symbol.asyncDispose]())

const hasNeither = hasKernelFeature('noSecurityModules')

test.runIf(hasNeither)('a daemon that was told to use SELinux goes on without it', async () => {
  expect(daemon.log).toContain('SELinux could not be enabled')
  expect((await daemon.docker('info', '--format', '{{.SecurityOptions}}')).stdout).not.toContain('selinux')
})

const labels = '{{.HostConfig.SecurityOpt}} {{.ProcessLabel}}|{{.MountLabel}}|{{.AppArmorProfile}}'

test.runIf(hasNeither).each([
  [['--security-opt', 'label=bogus'], '[label=bogus] ||'],
  [['--security-opt', 'label:type:x'], '[label:type:x] ||'],
  [['--security-opt', 'apparmor=no-such-profile'], '[apparmor=no-such-profile] ||'],
  [['--privileged'], '[label=disable] ||'],
  [['--pid', 'host', '--security-opt', 'label=type:x'], '[label=type:x] ||'],
  [['--ipc', 'host'], '[label=disable] ||'],
  [['-v', '/usr:/all:ro,Z'], '[] ||'],
])('%j runs, and is kept as %s', async (options, shown) => {
  const create = await daemon.docker('create', '--network', 'none', ...options, busybox, 'true')
  expect(create.code, create.stderr).toBe(0)
  const id = create.stdout.trim()
  expect((await daemon.docker('start', '--attach', id)).code).toBe(0)
  expect((await daemon.docker('inspect', '--format', labels, id)).stdout.trim()).toBe(shown)
})

test.each([
  ['bogus', 'invalid --security-opt 1: "bogus"'],
  ['bogus=1', 'invalid --security-opt 2: "bogus=1"'],
])('--security-opt %s answers as dockerd does', async (option, message) => {
  const { status, body } = await daemon.request('POST', '/containers/create', {
    Image: busybox,
    HostConfig: { SecurityOpt: [option] },
  })
  expect([status, JSON.parse(body)]).toEqual([500, { message }])
})
