import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestImages } from '../support/images.ts'

export interface CommittedFile {
  readonly name: string
  readonly content: Uint8Array
}

/** Makes an image of another one and a file, as `docker commit` of a container that wrote it.
 *  @param comment of the image's history   @returns its id */
export async function commitImage(
  images: TestImages,
  name: string,
  { file, comment = '', reference }: { file: CommittedFile; comment?: string; reference?: string },
): Promise<string> {
  const { id, root, chainId } = images.service.get(name)
  const snapshot = randomBytes(32).toString('hex')
  const { upper, path } = await images.snapshots.prepare(snapshot, chainId)
  images.users.set(id, [...(images.users.get(id) ?? []), { id: snapshot, running: false }])
  try {
    await writeFile(join(upper ?? path, file.name), file.content)
    const request = {
      ...{
        parent: { id, root: root.digest },
        snapshot,
        container: { id: snapshot, identity: {} },
        config: {},
        asked: undefined,
        changes: [],
      },
      ...{ createdBy: '', author: '', comment, check: () => undefined, events: () => [] },
      reference: reference === undefined ? undefined : images.parse(reference),
    }
    return await images.service.commit(request, new AbortController().signal)
  } finally {
    const others = (images.users.get(id) ?? []).filter((user) => user.id !== snapshot)
    images.users.set(id, others)
    await images.snapshots.remove(snapshot)
  }
}
