import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { startDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'

test.each([
  ['1', 3],
  ['3', 1],
  ['10', 0],
])('with --max-concurrent-downloads %s, of four layers %s wait', async (count, waiting) => {
  await using directory = await tempDirectory()
  const layers = Array.from({ length: 4 }, (_, at) => tar([{ name: `${at}` }]))
  await seedRegistry(directory.path, { 'app:latest': buildImage({ layers }) })
  await using daemon = await startDaemon({ withImage: false, args: ['--max-concurrent-downloads', count] })
  await using registry = await startRegistry({ storage: directory.path, enter: daemon.enter })
  const { body } = await daemon.request('POST', `/images/create?fromImage=${registry.host}/app&tag=latest`)
  expect(body).toContain('Downloaded newer image')
  expect(body.split('"status":"Waiting"')).toHaveLength(waiting + 1)
})

test('numbers that are none keep the daemon from starting', async () => {
  const started = startDaemon({ withImage: false, args: ['--max-concurrent-uploads', 'many'] })
  await expect(started).rejects.toThrow('berth daemon: invalid max concurrent uploads: many')
})
