import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HostSettings } from '#containers/container.ts'
import { resolveSeccomp } from '#containers/spec/seccomp.ts'
import { SeccompFilters } from '#containers/spec/seccomp-filters.ts'
import { defaultProfile } from '#containers/spec/seccomp-profile.ts'
import { tempDirectory } from '#test/support/temp.ts'

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

async function filters(directory: string, version = '1') {
  const compiled: object[] = []
  const kept = new SeccompFilters(directory, version, async (resolved) => {
    compiled.push(resolved)
    return Buffer.from(JSON.stringify(resolved))
  })
  return { kept, compiled }
}

test('no two that differ in anything that decides a filter share one, in memory or on disk', async () => {
  await using directory = await tempDirectory()
  const { kept, compiled } = await filters(directory.path)
  const made = await Promise.all(different.map((settings) => kept.of(settings)))
  expect(new Set(made.map(String)).size).toBe(different.length)
  expect(await readdir(directory.path)).toHaveLength(different.length)

  const again = await filters(directory.path)
  expect((await Promise.all(different.map((settings) => again.kept.of(settings)))).map(String)).toEqual(
    made.map(String),
  )
  expect([compiled.length, again.compiled.length]).toEqual([different.length, 0])
})

test('what does not decide a filter does not make another one', async () => {
  await using directory = await tempDirectory()
  const { kept, compiled } = await filters(directory.path)
  await kept.of(host())
  await kept.of(host({ securityOpt: ['no-new-privileges'] }))
  await kept.of(host({ securityOpt: ['seccomp=builtin'] }))
  expect(compiled).toHaveLength(1)
})

test('a filter of another compiler is not used', async () => {
  await using directory = await tempDirectory()
  await (await filters(directory.path, '1')).kept.of(host())
  const newer = await filters(directory.path, '2')
  await newer.kept.of(host())
  expect(newer.compiled).toHaveLength(1)
})

test('a kernel or machine that decides conditions makes another profile', () => {
  const versioned = { ...defaultProfile(), syscalls: [{ ...rule, includes: { minKernel: '5.0' } }] }
  const on = (architecture: string, kernel: string) =>
    JSON.stringify(resolveSeccomp(versioned, [], { architecture, kernel }))
  expect(on('x64', '4.19.0')).not.toBe(on('x64', '6.1.0'))
  expect(on('x64', '6.1.0')).not.toBe(on('arm64', '6.1.0'))
})

test('a filter that was damaged on disk is made anew', async () => {
  await using directory = await tempDirectory()
  const first = await (await filters(directory.path)).kept.of(host())
  const [name = ''] = await readdir(directory.path)
  await writeFile(join(directory.path, name), Buffer.alloc(64))
  const again = await filters(directory.path)
  expect(await again.kept.of(host())).toEqual(first)
  expect(again.compiled).toHaveLength(1)
})
