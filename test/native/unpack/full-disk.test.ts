/** A disk that is full in the middle of a layer, on small filesystems that only the test sees. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'

const run = promisify(execFile)
let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

const files = Array.from({ length: 40 }, (_, i) => ({ name: `dir/file-${i}`, content: Buffer.alloc(100_000, i + 1) }))

test.each([
  ['blocks', 'size=1m', /^write 'dir\/file-\d+': No space left on device\n$/],
  ['inodes', 'size=64m,nr_inodes=20', /^create 'dir\/file-\d+': No space left on device\n$/],
])('when %s run out, the file is named and the exit code says no space', async (_, options, message) => {
  await using directory = await tempDirectory('berth-unpack-')
  const layer = join(directory.path, 'layer')
  await writeFile(layer, tar(files))
  const script = `mkdir ${directory.path}/disk && mount -t tmpfs -o ${options} tmpfs ${directory.path}/disk && ${tool} --overlay <${layer} 3<${directory.path}/disk`
  await expect(run('unshare', ['--mount', 'sh', '-c', script])).rejects.toMatchObject({
    ...{ code: 3, stdout: '', stderr: expect.stringMatching(message) },
  })
})

test('a full disk can be emptied', async () => {
  await using directory = await tempDirectory('berth-unpack-')
  const disk = join(directory.path, 'disk')
  const script = `mkdir ${disk} && mount -t tmpfs -o size=1m tmpfs ${disk} && mkdir ${disk}/a && (cat /dev/zero >${disk}/a/zeros; ${tool} --remove 3<${disk}) 2>/dev/null && ls -A ${disk}`
  expect((await run('unshare', ['--mount', 'sh', '-c', script])).stdout).toBe('')
})
