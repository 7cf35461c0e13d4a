/** The parts of berth-unpack that read hostile bytes, compiled with AddressSanitizer and UndefinedBehaviorSanitizer. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tar } from '#test/support/tar.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'
import { aContainer, randomScript } from './container.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
let directory: string
let headers: string
let packing: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-unpack-fuzz-'))
  const sources = (...names: string[]) => [...names.map((name) => `images/unpack/${name}.c`), 'runtime/lib/error.c']
  headers = await compile('tar_fuzz', sources('tar', 'pax', 'source', 'sha256'))
  const reading = [
    'attributes',
    'container-root',
    'directory',
    'inode-set',
    'known-digests',
    'layers',
    'names',
    'tar',
    'pax',
    'source',
    'sha256',
    'tree',
  ]
  const marks = ['tree-remove', 'tree-times', 'whiteout', 'mount-point', 'differ']
  const writing = ['archive', 'pack-entry', 'merge', 'compare', 'change-list']
  packing = await compile('pack_fuzz', sources(...reading, ...marks, ...writing))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

async function compile(name: string, sources: readonly string[]): Promise<string> {
  const program = join(directory, name)
  const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
  const flags = ['-std=gnu17', '-g', '-O1', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-iquote', 'images/unpack']
  await run('gcc', [...flags, ...checks, '-o', program, `test/native/unpack/${name}.c`, ...sources], {
    cwd: root,
  })
  return program
}

async function feed(program: string, input: Uint8Array, options: readonly string[]): Promise<string> {
  const child = spawn(program, options, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  expect({ code, errors: errors.slice(0, 3000) }).toEqual({ code: 0, errors: '' })
  return output.trim()
}

test('damaged archives are refused with a sentence or read, never beyond their ends', async () => {
  const archive = tar([
    {
      name: 'file',
      content: 'x'.repeat(700),
      pax: { 'SCHILY.xattr.user.a': 'b', mtime: '1.5', path: 'a/b', uid: '7' },
    },
    { name: `${'long/'.repeat(60)}name`, gnuLongName: true, gnuNumbers: true, uid: 3_000_000 },
    { name: 'link', type: '2', link: 'target', pax: { linkpath: 'x'.repeat(300) } },
    { name: 'global', type: 'g', content: '11 a=bcdef\n' },
    { name: 'device', type: '3', major: 1, minor: 3 },
    { name: 'directory/' },
  ])
  expect(await feed(headers, archive, ['20000', '3'])).toMatch(/ of 20001 accepted/)
})

test.each([101, 102, 103, 104, 105, 106])(
  'random trees are packed and compared, never beyond their ends (%i)',
  async (seed) => {
    const { entries, script } = randomScript(seed)
    await using container = await aContainer(
      await buildUnpackTool(),
      entries,
      `${script}; mkdir -p proc etc; : >etc/hosts`,
    )
    const output = await feed(packing, Buffer.alloc(0), [container.upper, ...container.lowers])
    expect(output).toMatch(/^\d+ changed, \d+ in the layer, \d+ in all$/)
  },
)
