import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { buildImage } from '../../support/base-image.ts'
import { startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { tar } from '../../support/tar.ts'

const layer = (name: string, count: number) =>
  tar(Array.from({ length: count }, (_, index) => ({ name: `${name}-${index}`, content: Buffer.alloc(2000, name) })))

async function leftOf({ dataRoot }: TestDaemon): Promise<Record<string, readonly string[]>> {
  const names = (...path: string[]) => readdir(join(dataRoot, ...path))
  return {
    blobs: (await names('content', 'blobs', 'sha256')).sort(),
    ingest: await names('content', 'ingest'),
    snapshots: (await names('snapshots')).sort(),
    temporary: await names('tmp'),
    hidden: (await names('.')).filter((name) => name.startsWith('.')),
  }
}

const imagesOf = async (daemon: TestDaemon) =>
  JSON.parse((await daemon.request('GET', '/images/json?all=1')).body) as { Id: string; RepoTags: string[] }[]

test('a daemon killed while it pulls, tags and removes images keeps whole images and nothing else', {
  timeout: 100_000,
}, async () => {
  await using daemon = await startDaemon({ withImage: false })
  const storage = join(daemon.directory, 'registry')
  const [shared, first, second] = [layer('shared', 400), layer('first', 300), layer('second', 300)]
  await seedRegistry(storage, {
    'first:latest': buildImage({ layers: [shared, first] }),
    'second:latest': buildImage({ layers: [shared, second] }),
  })
  await using registry = await startRegistry({ storage, enter: daemon.enter })
  const before = await leftOf(daemon)
  const listed = await imagesOf(daemon)
  /** The answer of a daemon that is killed in the middle of it may never come. */
  const attempt = (method: string, path: string) => daemon.request(method, path).catch(() => undefined)
  const storm = async (name: string) => {
    const image = `${registry.host}/${name}`
    await attempt('POST', `/images/create?fromImage=${encodeURIComponent(image)}&tag=latest`)
    await attempt('POST', `/images/${image}:latest/tag?repo=${name}&tag=kept`)
    await attempt('DELETE', `/images/${image}:latest`)
    await attempt('DELETE', `/images/${name}:kept`)
  }
  for (const ms of [5, 15, 30, 45, 60, 80, 110, 150, 200, 260]) {
    const storming = Promise.all([storm('first'), storm('second')])
    await delay(ms) // the moment is the parameter of this test
    await daemon.kill9()
    await storming
    await daemon.start()
    for (const { Id } of await imagesOf(daemon)) {
      const created = await daemon.request('POST', '/containers/create', { Image: Id, Cmd: ['true'] })
      expect(created.status).toBe(201)
      const { Id: container } = JSON.parse(created.body) as { Id: string }
      expect((await daemon.request('DELETE', `/containers/${container}`)).status).toBe(204)
    }
  }
  for (const { Id } of await imagesOf(daemon)) {
    if (listed.some((image) => image.Id === Id)) continue
    expect((await daemon.request('DELETE', `/images/${Id}?force=1`)).status).toBe(200)
  }
  await daemon.restart()
  expect(await imagesOf(daemon)).toEqual(listed)
  expect(await leftOf(daemon)).toEqual(before)
  expect(await readFile(join(daemon.dataRoot, 'content', 'oci-layout'), 'utf8')).toContain('1.0.0')
  expect(daemon.log).not.toContain('level=error')
})
