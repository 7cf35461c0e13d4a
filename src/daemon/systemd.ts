import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readlinkSync } from 'node:fs'
import { messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'

/** The first descriptor that a service manager passes. @see sd_listen_fds(3) */
const firstInherited = 3

/** Descriptors of sockets that systemd listens on for us. */
export function inheritedSockets(environment: NodeJS.ProcessEnv): number[] {
  if (Number(environment.LISTEN_PID) !== process.pid) return []
  const count = Number(environment.LISTEN_FDS ?? 0)
  return Array.from({ length: Number.isInteger(count) && count > 0 ? count : 0 }, (_, index) => firstInherited + index)
}

/** Whether only processes of this host reach an inherited socket. */
export function isUnixSocket(fd: number): boolean {
  const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? []
  // Num: RefCount Protocol Flags Type St Inode Path
  const lines = readFileSync('/proc/self/net/unix', 'utf8').split('\n')
  return inode !== undefined && lines.some((line) => line.split(/\s+/)[6] === inode)
}

/** Tells the service manager, if there is one, `READY=1` or `STOPPING=1`. @see sd_notify(3) */
export async function notify(state: 'READY=1' | 'STOPPING=1', log: Logger): Promise<void> {
  if (process.env.NOTIFY_SOCKET === undefined) return
  // Node has no datagram sockets of the Unix kind; systemd's own command does it.
  const child = spawn('systemd-notify', [`--pid=${process.pid}`, state], { stdio: 'ignore' })
  try {
    await once(child, 'exit')
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the service manager could not be notified')
  }
}
