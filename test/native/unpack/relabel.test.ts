/** berth-unpack --relabel, on trees that somebody else may shape, and change meanwhile. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { runTreeJobOn } from '#images/snapshots/tree-process.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'

const run = promisify(execFile)
const label = 'u:object_r:content:s0:c1,c2'
const pathOnly = 0o10000000

let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

async function relabel(path: string): Promise<void> {
  await using target = await open(path, pathOnly)
  await runTreeJobOn(tool, ['--relabel', label], { target: target.fd })
}

/** By path; '' without one. Links are not followed. */
function labelsOf(...paths: string[]): string[] {
  const program = `import os, sys
for path in sys.argv[1:]:
  names = os.listxattr(path, follow_symlinks=False)
  print(os.getxattr(path, 'security.selinux', follow_symlinks=False).decode().rstrip(chr(0)) if 'security.selinux' in names else '')`
  return execFileSync('python3', ['-c', program, ...paths], { encoding: 'utf8' })
    .split('\n')
    .slice(0, -1)
}

test('all below has the label, whatever it is, and nothing that links lead to', async () => {
  await using directory = await tempDirectory()
  const at = (...names: string[]) => join(directory.path, ...names)
  await mkdir(at('tree/deep/deeper'), { recursive: true })
  await mkdir(at('outside/below'), { recursive: true })
  await Promise.all(['tree/file', 'tree/deep/deeper/file', 'outside/below/file'].map((name) => writeFile(at(name), '')))
  await Promise.all([symlink(at('outside/below/file'), at('tree/link')), symlink(at('outside'), at('tree/deep/out'))])
  await run('sh', ['-c', 'mkfifo fifo && mknod null c 1 3'], { cwd: at('tree') })
  await mkdir(at('tree/mount'))
  await run('mount', ['-t', 'tmpfs', 'tmpfs', at('tree/mount')])
  try {
    await writeFile(at('tree/mount/file'), '')
    await relabel(at('tree'))
    const inside = ['.', 'file', 'link', 'fifo', 'null', 'deep', 'deep/out', 'deep/deeper/file', 'mount', 'mount/file']
    expect(labelsOf(...inside.map((name) => at('tree', name)))).toEqual(inside.map(() => label))
    expect(labelsOf(at('outside'), at('outside/below'), at('outside/below/file'))).toEqual(['', '', ''])
  } finally {
    await run('umount', [at('tree/mount')])
  }
})

test('a file is labelled by itself, without being opened', async () => {
  await using directory = await tempDirectory()
  const fifo = join(directory.path, 'fifo')
  await run('mkfifo', [fifo])
  await relabel(fifo)
  expect(labelsOf(fifo, directory.path)).toEqual([label, ''])
})

test('what has its label is not written again', async () => {
  await using directory = await tempDirectory()
  const files = ['a', 'b'].map((name) => join(directory.path, name))
  await Promise.all(files.map((file) => writeFile(file, '')))
  await relabel(directory.path)
  const changes = () => Promise.all(files.map(async (file) => (await stat(file, { bigint: true })).ctimeNs))
  const before = await changes()
  await relabel(directory.path)
  expect(await changes()).toEqual(before)
})

test('directories deeper than a path reaches are refused', async () => {
  await using directory = await tempDirectory()
  const program = `import os, sys
for _ in range(2100):
  os.mkdir('d')
  os.chdir('d')`
  await run('python3', ['-c', program], { cwd: directory.path })
  await expect(relabel(directory.path)).rejects.toThrow('directories nested more than 2048 deep')
  await run('rm', ['-rf', join(directory.path, 'd')])
})

test('a directory that turns into a link meanwhile leads nowhere', async () => {
  await using directory = await tempDirectory()
  const at = (...names: string[]) => join(directory.path, ...names)
  await mkdir(at('tree'))
  await mkdir(at('outside'))
  await writeFile(at('outside/file'), '')
  const program = `import os
os.mkdir('tree/a')
os.symlink('../outside', 'spare')
print('ready', flush=True)
while True:
  os.rename('tree/a', 'aside')
  os.rename('spare', 'tree/a')
  os.rename('tree/a', 'spare')
  os.rename('aside', 'tree/a')`
  const other = spawn('python3', ['-c', program], { cwd: directory.path, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(other, 'close')
  try {
    await once(other.stdout, 'data')
    for (let round = 0; round < 400; round++) await relabel(at('tree'))
  } finally {
    other.kill('SIGKILL')
    await ended
  }
  expect(labelsOf(at('outside'), at('outside/file'))).toEqual(['', ''])
})
