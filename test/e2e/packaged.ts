import { join } from 'node:path'
import { buildImage, type TestImage } from '../support/base-image.ts'
import { type CommandResult, startDaemon, type TestDaemon } from '../support/daemon.ts'
import { dockerCli } from '../support/dockerd.ts'
import { seedRegistry, startRegistry } from '../support/registry.ts'

export const binary = join(import.meta.dirname, '../../dist/berth')

export interface Scene extends AsyncDisposable {
  readonly daemon: TestDaemon
  /** The unmodified docker CLI, with input if there is any. */
  docker(...args: readonly string[]): Promise<CommandResult>
  dockerWith(input: string, ...args: readonly string[]): Promise<CommandResult>
  /** The packaged binary's own client. */
  berth(...args: readonly string[]): Promise<CommandResult>
}

/**
 * The packaged binary as a daemon in a network namespace with a registry on 127.0.0.1:5000, which is its mirror of docker.io too.
 * @param more images of the registry; both `127.0.0.1:5000/busybox` and `busybox` are there to be pulled.
 */
export async function openScene(more: Readonly<Record<string, TestImage>> = {}): Promise<Scene> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(
    await startDaemon({
      command: [binary],
      args: ['--registry-mirror', 'http://127.0.0.1:5000', '--log-level', 'warn'],
      withImage: false,
    }),
  )
  const storage = join(daemon.directory, 'registry')
  const image = buildImage()
  await seedRegistry(storage, { 'busybox:latest': image, 'library/busybox:latest': image, ...more })
  undo.use(await startRegistry({ storage, enter: daemon.enter, port: 5000 }))
  const resources = undo.move()
  return {
    daemon,
    docker: (...args) => daemon.run([dockerCli(), ...args]),
    dockerWith: (input, ...args) => daemon.run([dockerCli(), ...args], input),
    berth: (...args) => daemon.run([binary, ...args]),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
