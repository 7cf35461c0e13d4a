import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { busybox, type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'
import { type Berth, berthFor } from './client.ts'

let daemon: TestDaemon
let berth: Berth
beforeAll(async () => {
  daemon = await startDaemon()
  berth = berthFor(daemon)
  return () => daemon[Symbol.asyncDispose]()
})

const content = 'mkdir -p /d/e; echo x > /d/f; ln -s f /d/l; ln -s /d /ld; chmod 750 /d/e; exec sleep 1000'

describe.each(['their', 'our'])('%s client', (whose) => {
  const run = (...args: string[]): Promise<CommandResult> =>
    whose === 'their' ? daemon.docker('cp', ...args) : berth('cp', ...args)
  let here: Awaited<ReturnType<typeof tempDirectory>>
  const at = (...words: string[]) => join(here.path, ...words)
  const tree = (path: string) =>
    execFileSync('find', ['.', '-printf', '%p %y %m %l|\n'], { cwd: path, encoding: 'utf8' })
      .trim()
      .split('\n')
      .toSorted()
  const inside = async (path: string) =>
    (await daemon.docker('exec', 'copied', 'find', path)).stdout.trim().split('\n').toSorted()

  beforeEach(async () => {
    here = await tempDirectory()
    await daemon.runDetached('--network', 'none', '--name', 'copied', busybox, 'sh', '-c', content)
    await daemon.docker('exec', 'copied', 'sh', '-c', 'while [ ! -e /d/l ]; do :; done')
    mkdirSync(at('src/sub'), { recursive: true })
    writeFileSync(at('src/file'), 'of ours\n')
    writeFileSync(at('src/sub', 'n'.repeat(120)), 'a long name\n')
    mkdirSync(at('out'))
  })
  afterEach(async () => {
    await daemon.request('DELETE', '/containers/copied?force=1')
    await here[Symbol.asyncDispose]()
  })

  test('files and directories come out, under their names or others', async () => {
    const fine = { code: 0, stdout: '', stderr: '' }
    expect(await run('copied:/d/f', at('out'))).toEqual(fine)
    expect(await run('copied:/d/f', at('renamed'))).toEqual(fine)
    expect(await run('copied:/d', at('out'))).toEqual(fine)
    expect(await run('copied:/d', at('new'))).toEqual(fine)
    expect(await run('copied:/d/.', at('content'))).toEqual(fine)
    expect(await run('copied:/ld', at('link'))).toEqual(fine)
    expect(await run('-L', 'copied:/ld', at('followed'))).toEqual(fine)
    const files = ['. d 755 |', './e d 750 |', './f f 644 |', './l l 777 f|']
    for (const directory of ['out/d', 'new', 'content', 'followed'])
      expect(tree(at(directory)), directory).toEqual(files)
    expect(readFileSync(at('out/f'), 'utf8')).toBe('x\n')
    expect(readFileSync(at('renamed'), 'utf8')).toBe('x\n')
    expect(readlinkSync(at('link'))).toBe('/d')
  })

  test('files and directories go in, under their names or others', async () => {
    const fine = { code: 0, stdout: '', stderr: '' }
    const long = `sub/${'n'.repeat(120)}`
    expect(await run(at('src/file'), 'copied:/d')).toEqual(fine)
    expect(await run(at('src/file'), 'copied:/d/other')).toEqual(fine)
    expect(await run(at('src'), 'copied:/d')).toEqual(fine)
    expect(await run(at('src'), 'copied:/new')).toEqual(fine)
    expect(await run(`${at('src')}/.`, 'copied:/ld/e')).toEqual(fine)
    const files = (base: string) => [base, `${base}/file`, `${base}/sub`, `${base}/${long}`].toSorted()
    expect(await inside('/new')).toEqual(files('/new'))
    expect(await inside('/d/src')).toEqual(files('/d/src'))
    expect(await inside('/d/e')).toEqual(files('/d/e'))
    expect((await daemon.docker('exec', 'copied', 'cat', '/d/file', '/d/other')).stdout).toBe('of ours\nof ours\n')
  })

  test('archives go through standard streams', async () => {
    const { stdout, code } = await run('copied:/d', '-')
    expect([code, stdout.includes('d/f')]).toEqual([0, true])
    if (whose === 'their') return
    const archive = execFileSync('tar', ['cf', '-', '-C', at('src'), 'file']).toString('latin1')
    const line = [process.execPath, join(import.meta.dirname, '../../../src/main.ts'), 'cp', '-', 'copied:/d/e']
    expect(await daemon.run(line, archive)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await inside('/d/e')).toEqual(['/d/e', '/d/e/file'])
  })

  test('what cannot be copied is told in the same words', async () => {
    const said = async (...args: string[]) => {
      const { code, stderr } = await run(...args)
      // The docker CLI also logs that its own pipe was closed.
      return [
        code,
        stderr
          .split('\n')
          .filter((line) => line !== '' && !line.startsWith('time='))
          .join('\n'),
      ]
    }
    expect(await said('copied:/nope', at('out'))).toEqual([
      1,
      'Error response from daemon: Could not find the file /nope in container copied',
    ])
    expect(await said(at('nope'), 'copied:/d')).toEqual([1, `lstat ${at('nope')}: no such file or directory`])
    expect(await said(at('src/file'), 'copied:/nope/x')).toEqual([
      1,
      'Error response from daemon: Could not find the file /nope in container copied',
    ])
    expect(await said(at('src/file'), 'copied:/d/z/')).toEqual([1, 'no such directory'])
    expect(await said('copied:/d', 'copied:/e')).toEqual([1, 'copying between containers is not supported'])
    expect(await said(at('src'), 'copied:/d/f')).toEqual([1, 'cannot copy directory'])
    expect(await said('copied:/d/f', at('no/such/place'))).toEqual([
      1,
      `invalid output path: directory "${at('no/such')}" does not exist`,
    ])
    expect(await said('./a', './b')).toEqual([1, 'must specify at least one container source'])
    expect(await said(at('src/file'), 'nobody:/x')).toEqual([
      1,
      'Error response from daemon: No such container: nobody',
    ])
  })
})
