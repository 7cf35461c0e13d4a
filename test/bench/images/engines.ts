import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { dockerCli, startDockerd } from '../../support/dockerd.ts'
import { waitFor } from '../../support/wait-for.ts'
import { endProcess, outputOf, timeProcess } from '../measure.ts'

/** Something that pulls images and lets go of them again. */
export interface ImageEngine {
  readonly name: string
  /** Where its files are: one file system for all. */
  readonly directory: string
  /** Milliseconds of the whole command. */
  pull(reference: string): Promise<number>
  /** Milliseconds of the whole command; undefined when it cannot. */
  save(reference: string, file: string): Promise<number | undefined>
  /** Milliseconds of the whole command. */
  load(file: string): Promise<number>
  remove(reference: string): Promise<void>
}

export interface OurEngine extends ImageEngine {
  readonly pid: number
  readonly socket: string
}

export interface ImageEngines extends AsyncDisposable {
  readonly ours: OurEngine
  readonly peers: readonly ImageEngine[]
}

/** Ours (`dist/berth`) and dockerd by the same docker CLI, podman by its own, each with files of its own below the directory. */
export async function openImageEngines(directory: string): Promise<ImageEngines> {
  await using undo = new AsyncDisposableStack()
  const docker = join(directory, 'dockerd')
  await mkdir(docker, { recursive: true })
  const dockerd = undo.use(await startDockerd(docker))
  const ours = undo.use(await startBerth(join(directory, 'berth')))
  const podmanDirectory = join(directory, 'podman')
  await mkdir(podmanDirectory)
  const owned = undo.move()
  return {
    ours,
    peers: [byDockerCli('dockerd 28', docker, dockerd.host), podman(podmanDirectory)],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function startBerth(directory: string): Promise<OurEngine & AsyncDisposable> {
  await mkdir(directory, { recursive: true })
  const socket = join(directory, 'berth.sock')
  const log = createWriteStream(join(directory, 'berth.log'))
  await once(log, 'open')
  const paths = ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')]
  const args = ['daemon', ...paths, '-H', `unix://${socket}`, '-p', join(directory, 'berth.pid')]
  const daemon = spawn(join(import.meta.dirname, '../../../dist/berth'), args, { stdio: ['ignore', log, log] })
  const engine = byDockerCli('berth', directory, `unix://${socket}`)
  const answers = () => timeProcess(dockerCli(), ['version'], environment(directory, `unix://${socket}`))
  await waitFor('berth answers', () => answers().then(Boolean, () => false), { timeoutMs: 60_000, intervalMs: 100 })
  return { ...engine, pid: daemon.pid ?? 0, socket, [Symbol.asyncDispose]: () => endProcess(daemon) }
}

function byDockerCli(name: string, directory: string, host: string): ImageEngine {
  const env = environment(directory, host)
  const docker = dockerCli()
  return {
    name,
    directory,
    pull: (reference) => timeProcess(docker, ['pull', '-q', reference], env),
    save: (reference, file) => timeProcess(docker, ['save', '-o', file, reference], env).catch(() => undefined),
    load: (file) => timeProcess(docker, ['load', '-q', '-i', file], env),
    remove: async (reference) => void (await outputOf(docker, ['rmi', '-f', reference], env)),
  }
}

function environment(directory: string, host: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, DOCKER_HOST: host, DOCKER_CONFIG: join(directory, 'docker-config') }
}

function podman(directory: string): ImageEngine {
  const roots = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'overlay']
  const command = (...args: string[]) => timeProcess('podman', [...roots, ...args])
  return {
    name: 'podman',
    directory,
    pull: (reference) => command('pull', '-q', '--tls-verify=false', reference),
    save: (reference, file) => command('save', '-q', '-o', file, reference),
    load: (file) => command('load', '-q', '-i', file),
    remove: async (reference) => void (await command('rmi', '-f', reference)),
  }
}
