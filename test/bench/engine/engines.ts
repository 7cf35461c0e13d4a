import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage } from '../../support/base-image.ts'
import { dockerCli, startDockerd } from '../../support/dockerd.ts'
import { startRegistry } from '../../support/registry.ts'
import { waitFor } from '../../support/wait-for.ts'
import { endProcess, outputOf, timeProcess } from '../measure.ts'

export interface MeasuredEngine {
  readonly name: string
  /** Of the daemon. */
  readonly pid: number
  /** All of its own, without what its containers run. */
  processes(): number[]
  /** Environment for the docker CLI. */
  readonly env: NodeJS.ProcessEnv
}

/** Ours and dockerd, both with the same image, in the same network namespace, asked by the same CLI. */
export interface Engines extends AsyncDisposable {
  readonly ours: MeasuredEngine
  readonly dockerd: MeasuredEngine
  readonly docker: string
  readonly berth: string
  readonly image: string
}

export async function openEngines(directory: string): Promise<Engines> {
  await using undo = new AsyncDisposableStack()
  const berth = join(import.meta.dirname, '../../../dist/berth')
  const docker = dockerCli()
  const registry = undo.use(await startRegistry())
  await registry.push('busybox:latest', buildImage())
  const image = `${registry.host}/busybox:latest`

  const peerDirectory = join(directory, 'dockerd')
  await mkdir(peerDirectory, { recursive: true })
  const peer = undo.use(await startDockerd(peerDirectory))
  const dockerd = {
    ...{ name: 'dockerd 28', pid: peer.pid, env: environment(peer.host, directory) },
    // Its shims are nobody's children: all name a place below its directory.
    processes: () => pidsWith(peerDirectory),
  }

  const host = `unix://${join(directory, 'berth.sock')}`
  const log = createWriteStream(join(directory, 'berth.log'))
  await once(log, 'open')
  const args = [
    'daemon',
    '--data-root',
    join(directory, 'data'),
    '--exec-root',
    join(directory, 'exec'),
    '-H',
    host,
    '-p',
    join(directory, 'berth.pid'),
  ]
  const daemon = spawn(berth, args, { stdio: ['ignore', log, log] })
  undo.defer(() => endProcess(daemon))
  const pid = daemon.pid ?? 0
  const ours = {
    ...{ name: 'berth', pid, env: environment(host, directory) },
    processes: () => [pid, ...childrenOf(pid)],
  }

  for (const engine of [ours, dockerd]) {
    await waitFor(
      `${engine.name} answers`,
      () =>
        timeProcess(docker, ['version'], engine.env).then(
          () => true,
          () => false,
        ),
      {
        timeoutMs: 60_000,
        intervalMs: 100,
      },
    )
    await outputOf(docker, ['pull', '-q', image], engine.env)
  }
  const owned = undo.move()
  return { ours, dockerd, docker, berth, image, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

function pidsWith(text: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => commandLine(pid).includes(text)).map(Number)
}

/** A process may end while it is looked at. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function environment(host: string, directory: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, DOCKER_HOST: host, DOCKER_CONFIG: join(directory, 'docker-config') }
}
