import { expect, test } from 'vitest'
import type { HostSettings } from '#containers/container.ts'
import { resolveSeccomp } from '#containers/spec/seccomp.ts'
import { SeccompFilters } from '#containers/spec/seccomp-filters.ts'
import { defaultProfile } from '#containers/spec/seccomp-profile.ts'

const host = (more: Partial<HostSettings> = {}) =>
  ({ securityOpt: [], privileged: false, capAdd: [], capDrop: [], ...more }) as unknown as HostSettings

const profile = (rule: object, more: object = {}) => ({
  securityOpt: [`seccomp=${JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', ...more, syscalls: [rule] })}`],
})
const rule = { names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }

/** Everything that decides a filter, changed one by one. */
const different: readonly HostSettings[] = [
  host(),
  host({ capAdd: ['SYS_ADMIN'] }),
  host({ capDrop: ['ALL'] }),
  host(profile(rule)),
  host(profile({ ...rule, errnoRet: 2 })),
  host(profile({ ...rule, args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] })),
  host(profile({ ...rule, names: ['rmdir'] })),
  host(profile(rule, { defaultAction: 'SCMP_ACT_LOG' })),
  host(profile(rule, { architectures: ['SCMP_ARCH_X86'] })),
]

function filters() {
  const compiled: object[] = []
  const kept = new SeccompFilters(async (resolved) => {
    compiled.push(resolved)
    return Buffer.from(JSON.stringify(resolved))
  })
  return { kept, compiled }
}

test('no two that differ in anything that decides a filter share one', async () => {
  const { kept, compiled } = filters()
  const made = await Promise.all(different.map((settings) => kept.of(settings)))
  expect(new Set(made.map(String)).size).toBe(different.length)
  expect(await Promise.all(different.map((settings) => kept.of(settings)))).toEqual(made)
  expect(compiled).toHaveLength(different.length)
})

test('what does not decide a filter does not make another one', async () => {
  const { kept, compiled } = filters()
  await kept.of(host())
  await kept.of(host({ securityOpt: ['no-new-privileges'] }))
  await kept.of(host({ securityOpt: ['seccomp=builtin'] }))
  expect(compiled).toHaveLength(1)
})

test('one that could not be compiled is tried again, and only the newest are kept', async () => {
  let works = false
  let compiled = 0
  const kept = new SeccompFilters(async () => {
    if (!works) throw new Error('no memory')
    compiled += 1
    return Buffer.alloc(8)
  })
  await expect(kept.of(host())).rejects.toThrow('no memory')
  works = true
  await kept.of(host())
  for (let errnoRet = 1; errnoRet <= 32; errnoRet += 1) await kept.of(host(profile({ ...rule, errnoRet })))
  expect(compiled).toBe(33)
  await kept.of(host())
  expect(compiled).toBe(34)
})

test('a kernel or machine that decides conditions makes another profile', () => {
  const versioned = { ...defaultProfile(), syscalls: [{ ...rule, includes: { minKernel: '5.0' } }] }
  const on = (architecture: string, kernel: string) =>
    JSON.stringify(resolveSeccomp(versioned, [], { architecture, kernel }))
  expect(on('x64', '4.19.0')).not.toBe(on('x64', '6.1.0'))
  expect(on('x64', '6.1.0')).not.toBe(on('arm64', '6.1.0'))
})
