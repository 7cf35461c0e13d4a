import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineEvent } from '#events/event.ts'
import { DiskBudget } from '#images/budget/disk-budget.ts'
import { Leases } from '#images/content/leases.ts'
import { openLocalStore } from '#images/content/local-store.ts'
import { openSnapshotter } from '#images/snapshots/open.ts'
import { ImageStore } from '#images/store/image-store.ts'
import type { AddImagePorts } from '#images/transfer/add-image.ts'
import { SharedTasks } from '#images/transfer/shared-tasks.ts'
import { Slots } from '#images/transfer/slots.ts'
import { openDatabase } from '#state/database.ts'
import { tempDirectory } from './temp.ts'
import { buildUnpackTool } from './unpack-tool.ts'

export interface TestImagePorts extends AsyncDisposable {
  readonly ports: AddImagePorts
  readonly events: Omit<EngineEvent, 'time'>[]
}

/** The real parts below the image service, for tests of one verb alone. */
export async function openImagePorts(): Promise<TestImagePorts> {
  await using undo = new AsyncDisposableStack()
  const { path: root } = undo.use(await tempDirectory('berth-images-'))
  await mkdir(root, { recursive: true })
  const executable = await buildUnpackTool()
  const database = undo.use(openDatabase(join(root, 'state.db')))
  const onError = (error: unknown) => {
    throw error
  }
  const snapshots = undo.use(await openSnapshotter({ root: join(root, 'snapshots'), database, executable, onError }))
  const events: Omit<EngineEvent, 'time'>[] = []
  const content = await openLocalStore(join(root, 'content'))
  const ports: AddImagePorts = {
    database,
    snapshots,
    executable,
    store: new ImageStore(database),
    content,
    budget: new DiskBudget({ root, content, snapshots, limits: {} }),
    leases: new Leases(),
    onGarbage: (error) => {
      throw error
    },
    tasks: new SharedTasks(),
    slots: new Slots(3),
    events: { publish: (event) => void events.push(event) },
  }
  const resources = undo.move()
  return { ports, events, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
