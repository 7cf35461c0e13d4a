import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parsePlace } from '#cli/copy/copy-spec.ts'
import { unpackLocal } from '#cli/copy/into-local.ts'
import { type TarEntry, tarEnd, tarHeader, tarPadding } from '#cli/copy/tar-write.ts'
import { tempDirectory } from '#test/support/temp.ts'

const entry = (given: Partial<TarEntry> & Pick<TarEntry, 'name'>): TarEntry => ({
  ...{ kind: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1_700_000_000, target: '' },
  ...given,
})

async function* archive(...files: readonly (readonly [TarEntry, string?])[]): AsyncGenerator<Buffer> {
  for (const [head, text = ''] of files) {
    yield tarHeader({ ...head, size: text.length })
    yield Buffer.from(text)
    yield tarPadding(text.length)
  }
  yield tarEnd
}

test('a path with a colon is one when it begins like one', () => {
  expect(parsePlace('box:/a')).toEqual({ container: 'box', path: '/a' })
  expect(parsePlace('./box:/a')).toEqual({ container: undefined, path: './box:/a' })
  expect(parsePlace('/a:b')).toEqual({ container: undefined, path: '/a:b' })
  expect(parsePlace('-')).toEqual({ container: undefined, path: '-' })
})

test('names that ustar has no room for come back whole', async () => {
  await using here = await tempDirectory()
  const name = `${'ä'.repeat(70)}/${'n'.repeat(200)}`
  await unpackLocal(archive([entry({ name: `top/${name}` }), 'content']), {
    from: 'top',
    directory: here.path,
    name: 'x',
  })
  expect(readFileSync(join(here.path, 'x', name), 'utf8')).toBe('content')
})

test.each([
  ['a name that leads out', [[entry({ name: 'top/../../out' }), 'x']]],
  ['a name of another tree', [[entry({ name: 'other/out' }), 'x']]],
  ['a symlink that leads out', [[entry({ name: 'top/link', kind: 'symlink', target: '../../outside' })]]],
  [
    'a file behind a symlink',
    [[entry({ name: 'top/link', kind: 'symlink', target: '/outside' })], [entry({ name: 'top/link/planted' }), 'x']],
  ],
] as const)('%s is refused, and nothing is written outside', async (_, files) => {
  await using here = await tempDirectory()
  const directory = join(here.path, 'target')
  mkdirSync(directory)
  mkdirSync(join(here.path, 'outside'))
  await expect(unpackLocal(archive(...files), { from: 'top', directory, name: 'x' })).rejects.toThrow()
  expect(readdirSync(join(here.path, 'outside'))).toEqual([])
  expect(readdirSync(here.path).toSorted()).toEqual(['outside', 'target'])
})

test('a symlink that is in the way is replaced, not followed', async () => {
  await using here = await tempDirectory()
  symlinkSync('/nowhere/at/all', join(here.path, 'x'))
  await unpackLocal(archive([entry({ name: 'top' }), 'content']), { from: 'top', directory: here.path, name: 'x' })
  expect(lstatSync(join(here.path, 'x')).isFile()).toBe(true)
})

test('an archive that is cut off is refused', async () => {
  await using here = await tempDirectory()
  const whole = Buffer.concat(await Array.fromAsync(archive([entry({ name: 'top' }), 'content'])))
  const cut = (async function* () {
    yield whole.subarray(0, 515)
  })()
  await expect(unpackLocal(cut, { from: 'top', directory: here.path, name: 'x' })).rejects.toThrow('cut off')
})
