import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { openTestImages } from '#test/support/images.ts'
import { startRegistry } from '#test/support/registry.ts'

test('a pull by tag lists the image, with its layers unpacked', async () => {
  await using registry = await startRegistry()
  await using images = await openTestImages()
  const image = buildImage()
  await registry.push('busybox:latest', image)
  const name = `${registry.host}/busybox`

  const progress = await images.pull(name)

  expect(progress.at(-2)).toEqual({ status: `Digest: ${image.root.digest}` })
  expect(progress.at(-1)).toEqual({ status: `Status: Downloaded newer image for ${name}:latest` })
  const listed = images.service.get(name)
  expect(listed).toMatchObject({ id: image.id, tags: [`${name}:latest`], digests: [`${name}@${image.root.digest}`] })
  expect(await images.readFile(name, 'etc/passwd')).toMatch(/^root:/)
})
