import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, existsSync, globSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from './wait-for.ts'

const root = join(import.meta.dirname, '../..')

export interface Dockerd extends AsyncDisposable {
  readonly pid: number
  /** For DOCKER_HOST. */
  readonly host: string
  readonly logFile: string
}

let found: string | undefined

/** The docker CLI: the machine's own where it is recent, else a fetched one. A user's machine has none in PATH. */
export function dockerCli(): string {
  found ??= isRecentDocker() ? 'docker' : join(fetchDockerPeers(), 'usr/bin/docker')
  return found
}

/** docker compose v2, as a plugin of the docker CLI that also runs alone. */
export function composePlugin(): string {
  return join(fetchDockerPeers(), 'usr/libexec/docker/cli-plugins/docker-compose')
}

/** docker buildx, as a plugin of the docker CLI. */
export function buildxPlugin(): string {
  return join(fetchDockerPeers(), 'usr/libexec/docker/cli-plugins/docker-buildx')
}

function isRecentDocker(): boolean {
  const { status, stdout } = spawnSync('docker', ['--version'], { encoding: 'utf8' })
  return status === 0 && Number(/version (\d+)\./.exec(stdout)?.[1]) >= 28
}

/** Today's Docker, fetched once: the docker CLI, compose and the peer engine.   @returns the folder it is unpacked in */
export function fetchDockerPeers(): string {
  const script = join(import.meta.dirname, 'docker-peers.sh')
  return execFileSync('sh', [script, join(root, 'build/cache/docker-peers')], { encoding: 'utf8' }).trim()
}

/**
 * Starts dockerd in this process's network namespace, which must not be the host's: it rewrites the firewall.
 * @param directory a new one for all its files
 * @param around a command that runs it
 */
export async function startDockerd(
  directory: string,
  extra: readonly string[] = [],
  around: readonly string[] = [],
): Promise<Dockerd> {
  const peers = fetchDockerPeers()
  const socket = join(directory, 'docker.sock')
  const logFile = join(directory, 'dockerd.log')
  const cgroup = `dockerd-${randomBytes(4).toString('hex')}`
  const args = [
    '--data-root',
    join(directory, 'data'),
    '--exec-root',
    join(directory, 'exec'),
    '-H',
    `unix://${socket}`,
    '-p',
    join(directory, 'docker.pid'),
    // One of its own can be removed: dockerd leaves the one that is there for its containers.
    '--cgroup-parent',
    `/${cgroup}`,
    ...extra,
  ]
  const path = `${peers}/usr/bin:${peers}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin`
  const [command = '', ...words] = [...around, join(peers, 'usr/sbin/dockerd'), ...args]
  const daemon = spawn(command, words, {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(logFile)
  daemon.stdout.pipe(log, { end: false })
  daemon.stderr.pipe(log, { end: false })
  await waitFor(
    `dockerd's socket (its log: ${logFile})`,
    () => {
      if (daemon.exitCode !== null) throw new Error(`dockerd ended with ${daemon.exitCode}; its log: ${logFile}`)
      return existsSync(socket)
    },
    { timeoutMs: 60_000, intervalMs: 50 },
  )
  return {
    pid: daemon.pid ?? 0,
    host: `unix://${socket}`,
    logFile,
    async [Symbol.asyncDispose]() {
      if (daemon.exitCode === null) {
        daemon.kill('SIGTERM')
        await once(daemon, 'exit')
      }
      log.end()
      for (const path of globSync(`/sys/fs/cgroup/{,*/}${cgroup}`)) rmdirSync(path)
    },
  }
}
