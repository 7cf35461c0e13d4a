import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildImage } from '../../support/base-image.ts'
import { startDaemon } from '../../support/daemon.ts'
import { startDockerd } from '../../support/dockerd.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { waitFor } from '../../support/wait-for.ts'
import { exchange } from './exchange.ts'
import type { Target } from './play.ts'

type Engine = Target & AsyncDisposable

/** Our daemon, with the image and a registry in its network namespace. */
export async function startOurs(): Promise<Engine> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon({ withImage: false }))
  const registry = await startSeeded(undo, daemon.directory, daemon.enter)
  await expectStatus({ socket: daemon.socket }, 200, 'DELETE', '/images/berth/hello')
  return await ready(undo, { socket: daemon.socket, directory: daemon.directory, registry })
}

/** dockerd, in this process's network namespace, which must not be the host's. */
export async function startTheirs(): Promise<Engine> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'berth-dockerd-'))
  undo.defer(() => rm(directory, { recursive: true, force: true }))
  const daemon = undo.use(await startDockerd(directory))
  const registry = await startSeeded(undo, directory, [])
  return await ready(undo, { socket: daemon.host.slice('unix://'.length), directory, registry })
}

async function startSeeded(undo: AsyncDisposableStack, directory: string, enter: readonly string[]): Promise<string> {
  const storage = join(directory, 'registry')
  await seedRegistry(storage, { 'library/busybox:latest': buildImage() })
  return undo.use(await startRegistry({ storage, enter })).host
}

/** Pulls the image and gives it its short name. */
async function ready(undo: AsyncDisposableStack, target: Target): Promise<Engine> {
  const ping = { method: 'GET', path: '/_ping', headers: { Host: 'docker' }, body: undefined, input: undefined }
  // dockerd's socket is there before dockerd serves.
  const serves = () =>
    exchange(target.socket, ping)
      .then(({ status }) => status === 200)
      .catch(() => false)
  await waitFor('the engine serves', serves, { timeoutMs: 60_000 })
  const name = `${target.registry}/library/busybox`
  await expectStatus(target, 200, 'POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=latest`)
  await expectStatus(target, 201, 'POST', `/images/${name}/tag?repo=busybox&tag=latest`)
  await expectStatus(target, 200, 'DELETE', `/images/${name}`)
  const resources = undo.move()
  return { ...target, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

async function expectStatus(
  { socket }: Pick<Target, 'socket'>,
  status: number,
  method: string,
  path: string,
): Promise<void> {
  const sent = { method, path, headers: { Host: 'docker' }, body: undefined, input: undefined }
  const { status: answered, bytes } = await exchange(socket, sent)
  const text = bytes.toString()
  if (answered !== status || text.includes('errorDetail')) throw new Error(`${method} ${path}: ${answered} ${text}`)
}
