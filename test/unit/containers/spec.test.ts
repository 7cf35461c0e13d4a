import { expect, test } from 'vitest'
import { capabilitiesOf, parseCapabilities } from '#containers/spec/capabilities.ts'
import { parseDeviceRule } from '#containers/spec/devices.ts'
import { mergeEnvironment } from '#containers/spec/process.ts'
import { parseSeccompProfile, resolveSeccomp } from '#containers/spec/seccomp.ts'
import { defaultProfile } from '#containers/spec/seccomp-profile.ts'
import { parseSecurityOptions } from '#containers/spec/security-options.ts'

const caps = (capAdd: string[] = [], capDrop: string[] = [], privileged = false) =>
  capabilitiesOf({ capAdd, capDrop, privileged })

test('fourteen capabilities are the default', () => {
  expect(caps()).toHaveLength(14)
  expect(caps()).toContain('CAP_NET_RAW')
  expect(caps()).not.toContain('CAP_SYS_ADMIN')
})

test('adding and dropping follow Docker', () => {
  expect(caps(['net_admin'], ['all'])).toEqual(['CAP_NET_ADMIN'])
  expect(caps([], ['CAP_CHOWN'])).not.toContain('CAP_CHOWN')
  expect(caps(['ALL'], ['SYS_ADMIN'])).not.toContain('CAP_SYS_ADMIN')
  expect(caps(['ALL'])).toEqual(caps([], [], true))
  expect(caps(['CHOWN'], ['CHOWN'])).toContain('CAP_CHOWN')
  expect(() => parseCapabilities(['nonsense'])).toThrow('unknown capability: "CAP_NONSENSE"')
})

const x64 = { architecture: 'x64', kernel: '6.1.0-18-amd64' }
const namesOf = (capabilities: string[]) =>
  resolveSeccomp(defaultProfile(), capabilities, x64).syscalls.flatMap(({ names }) => names)

test('the default filter depends on capabilities, machine and kernel', () => {
  expect(namesOf([])).not.toContain('mount')
  expect(namesOf(['CAP_SYS_ADMIN'])).toContain('mount')
  expect(namesOf([])).toContain('arch_prctl')
  expect(namesOf([])).not.toContain('set_tls')
  expect(namesOf([])).toContain('ptrace')
  const old = resolveSeccomp(defaultProfile(), [], { ...x64, kernel: '4.4.0' }).syscalls.flatMap(({ names }) => names)
  expect(old).not.toContain('ptrace')
})

test('clone3 answers that it is not there, unless namespaces may be made', () => {
  const rule = (capabilities: string[]) =>
    resolveSeccomp(defaultProfile(), capabilities, x64).syscalls.find(({ names }) => names.includes('clone3'))
  expect(rule([])).toMatchObject({ action: 'SCMP_ACT_ERRNO', errnoRet: 38 })
  expect(rule(['CAP_SYS_ADMIN'])).toMatchObject({ action: 'SCMP_ACT_ALLOW' })
})

test("a user's own profile is read with its conditions, a broken one is refused", () => {
  const profile = parseSeccompProfile(
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO', args: [], includes: { caps: ['CAP_CHOWN'] } }],
    }),
  )
  expect(resolveSeccomp(profile, ['CAP_CHOWN'], x64).syscalls).toEqual([{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }])
  expect(resolveSeccomp(profile, [], x64).syscalls).toEqual([])
  expect(() => parseSeccompProfile('{')).toThrow(/^Decoding seccomp profile failed: /)
})

test.each([
  [{}, []],
  [{ architectures: ['SCMP_ARCH_X86_64'] }, ['SCMP_ARCH_X86_64']],
  [
    { archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }] },
    ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  ],
  [{ archMap: [{ architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] }] }, []],
  [{ archMap: [{ architecture: 'SCMP_ARCH_X86_64' }] }, ['SCMP_ARCH_X86_64']],
])("a user's own profile with %j lets in the calls of %j beside the machine's own", (said, architectures) => {
  const profile = parseSeccompProfile(JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', ...said }))
  expect(resolveSeccomp(profile, [], x64).architectures).toEqual(architectures)
})

test('the default filter lets in every program that the machine can run; a profile says in one way whom', () => {
  const { architectures } = resolveSeccomp(defaultProfile(), [], x64)
  expect(architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'])
  const both = { architectures: ['SCMP_ARCH_X86'], archMap: [{ architecture: 'SCMP_ARCH_X86_64' }] }
  expect(() => parseSeccompProfile(JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', ...both }))).toThrow(
    "use either 'architectures' or 'archMap'",
  )
})

test('a seccomp profile keeps how its filter is loaded and who listens', () => {
  const loading = { flags: ['SECCOMP_FILTER_FLAG_LOG'], listenerPath: '/run/agent', listenerMetadata: 'x' }
  expect(parseSeccompProfile(JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', ...loading })).loading).toEqual(loading)
  expect(parseSeccompProfile('{"defaultAction":"SCMP_ACT_ALLOW"}').loading).toEqual({})
})

test('security options', () => {
  expect(parseSecurityOptions([])).toMatchObject({ noNewPrivileges: false, seccomp: 'default' })
  expect(parseSecurityOptions(['no-new-privileges', 'seccomp=unconfined'])).toMatchObject({
    noNewPrivileges: true,
    seccomp: 'unconfined',
  })
  expect(parseSecurityOptions(['no-new-privileges:true']).noNewPrivileges).toBe(true)
  expect(() => parseSecurityOptions(['nonsense'])).toThrow('invalid --security-opt 1: "nonsense"')
  expect(parseSecurityOptions(['apparmor=mine']).appArmor).toBe('mine')
  expect(() => parseSecurityOptions(['nonsense=1'])).toThrow('invalid --security-opt 2: "nonsense=1"')
  expect(() => parseSecurityOptions(['label'])).toThrow('invalid --security-opt 1: "label"')
  expect(parseSecurityOptions(['label=type:x', 'label:level:s0', 'disable']).labelOptions).toEqual([
    'type:x',
    'level:s0',
    'disable',
  ])
})

test('the environment of an exec replaces, adds and removes by name', () => {
  expect(mergeEnvironment(['A=1', 'B=2', 'C=3'], ['B=two', 'D=4', 'C'])).toEqual(['A=1', 'B=two', 'D=4'])
})

test('device rules', () => {
  expect(parseDeviceRule('c 10:* rw')).toEqual({ allow: true, type: 'c', major: 10, access: 'rw' })
  expect(() => parseDeviceRule('c 10 rw')).toThrow("invalid device cgroup rule format: 'c 10 rw'")
})
