import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempDirectory } from '#test/support/temp.ts'

test('a daemon in a chroot has containers whose mount namespace knows no other root than theirs', async () => {
  await using directory = await tempDirectory()
  const driver = join(import.meta.dirname, 'shim/chroot-driver.ts')
  const script = `mount --rbind / '${directory.path}' && exec chroot '${directory.path}' '${process.execPath}' '${driver}'`
  const output = execFileSync('unshare', ['--mount', 'sh', '-c', script], { encoding: 'utf8', timeout: 60_000 })
  const root = ['bin', 'dev', 'etc', 'proc', 'sbin', 'tmp']
  expect(JSON.parse(output)).toEqual({ namespace: root, exec: root })
})
