import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HostSettings } from '#containers/container.ts'
import { AppArmor } from '#containers/spec/apparmor.ts'
import { tempDirectory } from '#test/support/temp.ts'

const host = (securityOpt: readonly string[] = [], privileged = false) => ({ securityOpt, privileged }) as HostSettings

/** A parser that notes what it is told, and fails with these words if there are any. */
async function parser(directory: string, failure = ''): Promise<string> {
  const path = join(directory, 'parser')
  const script = `#!/bin/sh\necho "$@" >> ${directory}/calls; cat > ${directory}/profile\n`
  await writeFile(path, failure === '' ? script : `${script}echo "${failure}" >&2; exit 1\n`)
  await chmod(path, 0o755)
  return path
}

test('without AppArmor a process has no profile', async () => {
  const none = new AppArmor(undefined)
  expect([none.active, await none.of(host())]).toEqual([false, undefined])
})

test('the default profile is loaded once, and only for those that have it', async () => {
  await using directory = await tempDirectory()
  const appArmor = new AppArmor(await parser(directory.path))
  expect(await appArmor.of(host([], true))).toBe('unconfined')
  expect(await appArmor.of(host(['apparmor=unconfined']))).toBe('unconfined')
  expect(await appArmor.of(host(['apparmor=mine'], true))).toBe('mine')
  await expect(readFile(join(directory.path, 'calls'))).rejects.toThrow('ENOENT')

  expect(await Promise.all([appArmor.of(host()), appArmor.of(host())])).toEqual(['berth-default', 'berth-default'])
  expect(await appArmor.of(host())).toBe('berth-default')
  expect(await readFile(join(directory.path, 'calls'), 'utf8')).toBe('--replace --skip-cache\n')
  expect(await readFile(join(directory.path, 'profile'), 'utf8')).toMatch(/^profile berth-default /)
})

test('a default profile that somebody has unloaded is loaded again', async () => {
  await using directory = await tempDirectory()
  const loaded = join(directory.path, 'loaded')
  const appArmor = new AppArmor(await parser(directory.path), loaded)
  const calls = async () => (await readFile(join(directory.path, 'calls'), 'utf8')).split('\n').length - 1
  await appArmor.of(host())
  await writeFile(loaded, 'other (enforce)\nberth-default (enforce)\n')
  await appArmor.of(host())
  expect(await calls()).toBe(1)
  await writeFile(loaded, 'other (enforce)\nberth-default-2 (enforce)\n')
  await Promise.all([appArmor.of(host()), appArmor.of(host())])
  expect(await calls()).toBe(2)
})

test('a default profile that cannot be loaded is told with the way out, and tried again', async () => {
  await using directory = await tempDirectory()
  const appArmor = new AppArmor(await parser(directory.path, 'no such feature'))
  const failure = /berth-default cannot be loaded by .*: no such feature; --security-opt apparmor=unconfined starts/
  await expect(appArmor.of(host())).rejects.toThrow(failure)
  await parser(directory.path)
  expect(await appArmor.of(host())).toBe('berth-default')
})
