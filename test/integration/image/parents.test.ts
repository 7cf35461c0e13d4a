import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortId } from '#base/ids.ts'
import { busybox, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { tempDirectory } from '#test/support/temp.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  await docker('rmi', 'berth/hello')
})
afterAll(() => daemon[Symbol.asyncDispose]())

async function docker(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args)
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

/** Commits a container of an image that wrote a file.   @returns the id of the new image */
async function commitOf(image: string, file: string, ...name: readonly string[]): Promise<string> {
  const container = await daemon.runDetached('--network', 'none', image, 'touch', `/${file}`)
  await docker('wait', container)
  const id = await docker('commit', container, ...name)
  await docker('rm', container)
  return id
}

const refuse = (message: string) => `Error response from daemon: ${message}\n`
const listed = async (...flags: readonly string[]) =>
  (await docker('images', '--no-trunc', '--format', '{{.ID}}', ...flags)).split('\n').toSorted()

test('an image knows the one that it was committed from, which cannot be deleted below it', async () => {
  const base = await docker('inspect', '-f', '{{.Id}}', busybox)
  const middle = await commitOf(busybox, 'one')
  const top = await commitOf(middle, 'two', 'top')
  expect(await docker('inspect', '-f', '{{.Parent}}', top, middle, base)).toBe(`${middle}\n${base}`)
  const images = JSON.parse((await daemon.request('GET', '/images/json?all=1')).body) as Record<string, unknown>[]
  expect(Object.fromEntries(images.map(({ Id, ParentId }) => [Id, ParentId]))).toEqual({
    [top]: middle,
    [middle]: base,
    [base]: '',
  })
  const ids = await docker('history', '--no-trunc', '--format', '{{.ID}}', 'top')
  expect(ids.split('\n')).toEqual([top, middle, base])

  const dependent = (id: string) =>
    refuse(`conflict: unable to delete ${shortId(id)} (cannot be forced) - image has dependent child images`)
  for (const force of [[], ['-f']]) {
    expect(await daemon.docker('rmi', ...force, middle)).toMatchObject({ code: 1, stderr: dependent(middle) })
    expect(await daemon.docker('rmi', ...force, base)).toMatchObject({ code: 1, stderr: dependent(base) })
  }
  await docker('rmi', 'top')
  expect(await listed('-a')).toEqual([base])
})

test('parents go along in an archive, as far as they are in it', async () => {
  const base = await docker('inspect', '-f', '{{.Id}}', busybox)
  const middle = await commitOf(busybox, 'one', 'middle')
  const top = await commitOf('middle', 'two', 'top')
  await using directory = await tempDirectory()
  const [all, one] = [join(directory.path, 'all.tar'), join(directory.path, 'one.tar')]
  await docker('save', '-o', all, busybox, 'middle', 'top')
  await docker('save', '-o', one, 'top')
  const entries = JSON.parse(execFileSync('tar', ['-xOf', all, 'manifest.json'], { encoding: 'utf8' })) as object[]
  expect(entries.map((entry) => Reflect.get(entry, 'Parent'))).toEqual([undefined, base, middle])
  expect(execFileSync('tar', ['-xOf', one, 'manifest.json'], { encoding: 'utf8' })).not.toContain('Parent')

  await docker('rmi', 'top', 'middle')
  await docker('load', '-i', one)
  expect(await docker('inspect', '-f', '{{.Parent}}', top)).toBe('')
  await docker('load', '-i', all)
  expect(await docker('inspect', '-f', '{{.Parent}}', top, middle, base)).toBe(`${middle}\n${base}`)
  await docker('rmi', 'top', 'middle')

  const files = join(directory.path, 'files')
  await mkdir(files)
  execFileSync('tar', ['-xf', all, '-C', files])
  const upsideDown = entries.map((entry, index) => ({ ...entry, Parent: [middle, top, ''][index] }))
  await writeFile(join(files, 'manifest.json'), JSON.stringify(upsideDown))
  execFileSync('tar', ['-cf', all, '-C', files, '.'])
  const { code, stderr } = await daemon.docker('load', '-i', all)
  expect([code, stderr.trim()]).toEqual([1, `image ${middle} is not a valid parent for ${base}`])
  expect(await docker('inspect', '-f', '{{.Parent}}', top, middle, base)).toBe('')
  await docker('rmi', 'top', 'middle')
})

test('an image without a name below another one is shown with -a only, and goes with the last of those', async () => {
  const base = await docker('inspect', '-f', '{{.Id}}', busybox)
  const middle = await commitOf(busybox, 'one', 'middle')
  const [first, second] = [await commitOf('middle', 'two', 'first'), await commitOf('middle', 'three', 'second')]
  expect(await docker('rmi', 'middle')).toBe('Untagged: middle:latest')
  expect(await listed()).toEqual([base, first, second].toSorted())
  expect(await listed('-a')).toEqual([base, middle, first, second].toSorted())
  expect(await listed('--filter', 'dangling=true')).toEqual([''])
  expect(await docker('info', '-f', '{{.Images}}')).toBe('4')
  expect(await docker('image', 'prune', '-f')).toBe('Total reclaimed space: 0B')

  expect((await docker('rmi', 'first')).split('\n')).toEqual(expect.not.arrayContaining([`Deleted: ${middle}`]))
  const last = (await docker('rmi', 'second')).split('\n').filter((line) => !line.includes('Untagged'))
  expect(last.slice(0, 2)).toEqual([`Deleted: ${second}`, `Deleted: ${middle}`])
  expect(await listed('-a')).toEqual([base])
})

test('rmi --no-prune leaves the parent, and prune takes it then', async () => {
  const base = await docker('inspect', '-f', '{{.Id}}', busybox)
  const middle = await commitOf(busybox, 'one')
  await commitOf(middle, 'two', 'top')
  await docker('rmi', '--no-prune', 'top')
  expect(await listed('--filter', 'dangling=true')).toEqual([middle])
  expect(await docker('image', 'prune', '-f')).toContain(`deleted: ${middle}`)
  expect(await listed('-a')).toEqual([base])
})

test('a parent that a container uses stays when its last child goes', async () => {
  const middle = await commitOf(busybox, 'one')
  const container = await docker('create', '--network', 'none', middle, 'true')
  await commitOf(middle, 'two', 'top')
  await docker('rmi', 'top')
  expect(await listed('-a')).toContain(middle)
  await docker('rm', container)
  await docker('rmi', middle)
})
