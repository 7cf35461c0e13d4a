import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage } from '../../support/base-image.ts'
import { ociArchive } from '../../support/oci-archive.ts'
import { tar } from '../../support/tar.ts'
import { faultyImage, type Stage } from './stage.ts'

/** A verb on images that can be done, and undone, as often as one likes. */
export interface StoreScene {
  readonly title: string
  /** Before each time, when nothing fails. */
  readonly prepare: () => Promise<void>
  /** @returns what it said when it failed */
  readonly act: () => Promise<string | undefined>
  readonly undo: () => Promise<void>
  /** Whether what it removed may be gone although it failed: there is no way back from there. */
  readonly isRemoval: boolean
}

export function scenesOf(stage: Stage): StoreScene[] {
  const { ask, image } = stage
  const remove = async (name: string) => void (await ask('DELETE', `/images/${name}?force=1`))
  const pull = () => ask('POST', `/images/create?fromImage=${encodeURIComponent(image)}`)
  const archive = ociArchive(faultyImage(), { 'org.opencontainers.image.ref.name': 'loaded:latest' })
  const files = tar([{ name: 'file', content: 'content' }])
  const none = async () => undefined
  return [
    { title: 'pull', prepare: none, act: pull, undo: () => remove(image), isRemoval: false },
    {
      title: 'load',
      prepare: none,
      act: () => ask('POST', '/images/load?quiet=1', archive),
      undo: () => remove('loaded:latest'),
      isRemoval: false,
    },
    {
      title: 'import',
      prepare: none,
      act: () => ask('POST', '/images/create?fromSrc=-&repo=imported&tag=latest', files),
      undo: () => remove('imported:latest'),
      isRemoval: false,
    },
    commitScene(stage),
    {
      title: 'remove',
      prepare: () => mustSucceed(pull()),
      act: () => ask('DELETE', `/images/${image}`),
      undo: () => remove(image),
      isRemoval: true,
    },
    {
      title: 'prune',
      async prepare() {
        await mustSucceed(pull())
        const other = ociArchive(buildImage({ layers: [files] }), { 'org.opencontainers.image.ref.name': image })
        await mustSucceed(ask('POST', '/images/load?quiet=1', other))
      },
      act: () => ask('POST', '/images/prune'),
      undo: async () => {
        await remove(image)
        await ask('POST', '/images/prune')
      },
      isRemoval: true,
    },
  ]
}

function commitScene({ ask, daemon }: Stage): StoreScene {
  let container = ''
  return {
    title: 'commit',
    async prepare() {
      const { body } = await daemon.request('POST', '/containers/create', { Image: 'busybox', Cmd: ['true'] })
      container = (JSON.parse(body) as { Id: string }).Id
      const snapshots = join(daemon.dataRoot, 'snapshots')
      const own = Math.max(...readdirSync(snapshots).map(Number))
      if (!existsSync(join(snapshots, `${own}`, 'fs'))) throw new Error('the container has no files')
      await writeFile(join(snapshots, `${own}`, 'fs', 'written'), randomBytes(200_000))
    },
    act: () => ask('POST', `/commit?container=${container}&repo=committed&tag=latest`),
    async undo() {
      await ask('DELETE', `/containers/${container}?force=1`)
      await ask('DELETE', '/images/committed:latest?force=1')
    },
    isRemoval: false,
  }
}

async function mustSucceed(work: Promise<string | undefined>): Promise<void> {
  const failure = await work
  if (failure !== undefined) throw new Error(`undisturbed: ${failure}`)
}
