import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { internal, messageOf } from '#base/errors.ts'
import type { SshSpec } from './address.ts'
import type { Connection } from './connect.ts'

const maxWords = 4096
/** From the end of its output to its own end. */
const patienceMs = 10_000

/**
 * Runs ssh, and `docker system dial-stdio` over there: what ssh reads and writes is the connection. One socket is both of its
 * standard streams, so that each direction ends on its own. Destroying it ends ssh.
 */
export function openSsh(spec: SshSpec): Connection {
  const args = sshArguments(spec)
  // A session of its own: Ctrl-C is for the container over there, not for ssh. The shell only makes one descriptor two.
  const child = spawn('/bin/sh', ['-c', 'exec ssh "$@" <&3 >&3 3>&-', 'ssh', ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const socket = child.stdio[3] as Socket | null
  if (!socket) throw internal('no connection to ssh')
  socket.allowHalfOpen = true
  socket.on('error', () => {})
  const words = collectWords(child)
  // After an error on it ssh has gone by itself, and its own status is wanted.
  socket.once('close', (hadError) => {
    if (!hadError) child.kill('SIGTERM')
  })
  child.unref()
  return { socket, whyEnded: () => whyEnded(child, ['ssh', ...args], words) }
}

async function whyEnded(
  child: ChildProcess,
  command: readonly string[],
  words: () => string,
): Promise<string | undefined> {
  child.ref()
  try {
    const signal = AbortSignal.timeout(patienceMs)
    const stderrEnds = child.stderr?.readableEnded ? undefined : once(child.stderr ?? child, 'close', { signal })
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit', { signal })
    await stderrEnds
  } catch (error) {
    return `command [${command.join(' ')}] did not exit: ${messageOf(error)}: stderr=${words()}`
  }
  if (child.exitCode === 0) return undefined
  const how = child.signalCode === null ? `exit status ${child.exitCode}` : `signal: ${child.signalCode}`
  return `command [${command.join(' ')}] has exited with ${how}, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=${words()}`
}

/** What ssh is called with; the path is for a shell over there. */
export function sshArguments({ user, host, port, path }: SshSpec): string[] {
  const socket = path === '' ? [] : [`'--host=unix://${path.replaceAll("'", `'\\''`)}'`]
  return [
    ...(user === '' ? [] : ['-l', user]),
    ...(port === '' ? [] : ['-p', port]),
    ...['-o', 'ConnectTimeout=30', '-T', '--', host],
    ...['docker', ...socket, 'system', 'dial-stdio'],
  ]
}

/** The last of what ssh says of itself. */
function collectWords({ stderr }: ChildProcess): () => string {
  let words = ''
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-maxWords)
  })
  return () => words
}
