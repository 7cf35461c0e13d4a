import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { busybox, type CommandResult, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { dockerCli, startDockerd } from '../../support/dockerd.ts'
import { tempDirectory } from '../../support/temp.ts'
import { berthCommand } from '../cli/client.ts'

const run = promisify(execFile)

export interface BesideDockerd extends AsyncDisposable {
  readonly ours: TestDaemon
  /** For what the test writes. */
  readonly directory: string
  onPeer(...args: readonly string[]): Promise<CommandResult>
  both(...args: readonly string[]): Promise<{ ours: CommandResult; dockerd: CommandResult }>
  /** On both; neither may fail or warn. */
  onBoth(...args: readonly string[]): Promise<void>
  /** A request to dockerd without a client's own words. */
  askPeer(path: string, method?: string, body?: string): Promise<{ status: number; type: string; body: string }>
}

/**
 * A daemon of ours and a dockerd with overlay2, both with the base image.
 * @param around what runs each of them, as a command that takes one
 */
export async function startBesideDockerd({ around = [] }: { around?: readonly string[] } = {}): Promise<BesideDockerd> {
  await using undo = new AsyncDisposableStack()
  const directory = undo.use(await tempDirectory('berth-files-')).path
  const ours = undo.use(await startDaemon(around.length > 0 ? { command: [...around, ...berthCommand] } : {}))
  // Without networks it leaves the firewall alone.
  const quiet = ['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']
  const place = undo.use(await tempDirectory('berth-dockerd-')).path
  const peer = undo.use(await startDockerd(place, [...quiet, '--storage-driver', 'overlay2'], around))
  const onPeer = (...args: readonly string[]): Promise<CommandResult> => {
    const { promise, resolve } = Promise.withResolvers<CommandResult>()
    const env = { ...process.env, DOCKER_HOST: peer.host }
    execFile(dockerCli(), args, { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
    })
    return promise
  }
  const both = async (...args: readonly string[]) => {
    const [mine, dockerd] = await Promise.all([ours.docker(...args), onPeer(...args)])
    return { ours: mine, dockerd }
  }
  const image = join(directory, 'image.tar')
  await ours.docker('save', '-o', image, busybox)
  await onPeer('load', '-i', image)
  const owned = undo.move()
  return {
    ours,
    directory,
    onPeer,
    both,
    async onBoth(...args) {
      const { ours: mine, dockerd } = await both(...args)
      expect({ args, code: mine.code, stderr: mine.stderr }).toEqual({ args, code: 0, stderr: '' })
      expect({ args, code: dockerd.code, stderr: dockerd.stderr }).toEqual({ args, code: 0, stderr: '' })
    },
    async askPeer(path, method = 'GET', body = undefined) {
      const data = body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', body]
      const socket = peer.host.replace('unix://', '')
      const args = ['-s', '-X', method, ...data, '-w', '\n%{http_code} %{content_type}', '--unix-socket', socket]
      const { stdout } = await run('curl', [...args, `http://localhost${path}`], {
        maxBuffer: 1 << 26,
        encoding: 'latin1',
      })
      const end = stdout.lastIndexOf('\n')
      const [status = '', type = ''] = stdout.slice(end + 1).split(' ')
      return { status: Number(status), type, body: stdout.slice(0, end) }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

export const lines = (text: string) => text.split('\n').filter((line) => line !== '')
