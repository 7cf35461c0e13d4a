import { expect, test } from 'vitest'
import { parseHostConfig } from '#api/parse/host-config.ts'
import { cgroupPathOf, cgroupsPathOf, checkCgroupParent } from '#containers/spec/cgroups.ts'
import { chooseCgroupDriver } from '#engine/cgroup-driver.ts'

const below = (CgroupParent: string, state: { cgroupParent?: string } = {}) => ({
  id: 'abc',
  host: parseHostConfig({ CgroupParent }),
  state,
})

test('groups of our own stand below /berth or the parent that was asked for', () => {
  expect(cgroupPathOf(below(''), 'cgroupfs')).toBe('/berth/abc')
  expect(cgroupsPathOf(below('/a/b/'), 'cgroupfs')).toBe('/a/b/abc')
  expect(cgroupPathOf(below('a'), 'cgroupfs')).toBe('/a/abc')
  expect(cgroupPathOf(below('', { cgroupParent: '/d/e' }), 'cgroupfs')).toBe('/d/e/abc')
  expect(cgroupPathOf(below('a', { cgroupParent: '/d/e' }), 'cgroupfs')).toBe('/a/abc')
})

test('scopes stand in slices, whose names say where they are', () => {
  expect(cgroupsPathOf(below(''), 'systemd')).toBe('system.slice:berth:abc')
  expect(cgroupPathOf(below(''), 'systemd')).toBe('/system.slice/berth-abc.scope')
  expect(cgroupsPathOf(below('', { cgroupParent: 'd.slice' }), 'systemd')).toBe('d.slice:berth:abc')
  expect(cgroupsPathOf(below('a-b.slice'), 'systemd')).toBe('a-b.slice:berth:abc')
  expect(cgroupPathOf(below('a-b.slice'), 'systemd')).toBe('/a.slice/a-b.slice/berth-abc.scope')
})

test('a parent that the driver cannot use is refused', () => {
  const check = (parent: string, driver: 'cgroupfs' | 'systemd') => () => checkCgroupParent(below(parent).host, driver)
  expect(check('a.slice', 'systemd')).not.toThrow()
  for (const parent of ['/a', 'a', '-.slice', 'a--b.slice', 'a.slice/b', '../a.slice', 'a:b.slice']) {
    expect(check(parent, 'systemd')).toThrow(
      'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"',
    )
  }
  expect(check('/a/../b', 'cgroupfs')).toThrow('invalid cgroup parent: /a/../b')
})

test('the driver is chosen by exec-opts, and refused where the host cannot', () => {
  const layout = {
    version: 1,
    controllers: {},
    hierarchies: [{ mount: '/m', controllers: ['cpu'], unified: false }],
  } as const
  expect(chooseCgroupDriver([], layout)).toBe('cgroupfs')
  expect(chooseCgroupDriver(['native.cgroupdriver=cgroupfs'], layout)).toBe('cgroupfs')
  expect(() => chooseCgroupDriver(['native.cgroupdriver=systemd'], layout)).toThrow(/cannot be served: /)
  expect(() => chooseCgroupDriver(['native.cgroupdriver=other'], layout)).toThrow('choose cgroupfs or systemd')
  expect(() => chooseCgroupDriver(['x=y'], layout)).toThrow('exec-opts: unknown option "x=y"')
})
