/** What runs beside hostile files loads no code from them and asks no library about users (CVE-2019-14271). */
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const execute = promisify(execFile)
const build = join(import.meta.dirname, '../../build')

test.each(['berth-shim', 'berth-runtime', 'berth-probe', 'berth-init', 'berth-unpack', 'berth-hello'])(
  '%s needs no loader and no library',
  async (name) => {
    const { stdout } = await execute('readelf', ['--wide', '--segments', '--dynamic', join(build, 'native', name)])
    expect(stdout).toContain('LOAD')
    expect(stdout).not.toMatch(/INTERP|NEEDED/)
  },
)

test('no part of them asks for users, groups, character sets or modules', async () => {
  const files = (await readdir(join(build, 'obj'), { recursive: true })).filter((path) =>
    /^(static|shim|unpack)\/.*\.o$/.test(path),
  )
  expect(files.length).toBeGreaterThan(50)
  const { stdout } = await execute('nm', ['-A', '--undefined-only', ...files], { cwd: join(build, 'obj') })
  expect(stdout).toContain(' U openat')
  const asked =
    /\bU (get(pw|gr)\w*|(set|end)(pw|gr)ent|getgrouplist|initgroups|dl(open|mopen|sym)|iconv\w*|getaddrinfo)$/
  expect(stdout.split('\n').filter((line) => asked.test(line))).toEqual([])
})
