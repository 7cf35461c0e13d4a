import { readdirSync, readFileSync } from 'node:fs'
import type { TestDaemon } from '../../support/daemon.ts'

/** Accepted connections of the API's socket, as the kernel lists them in the network namespace of the client. */
export function connectionsOf({ socket }: TestDaemon): number {
  const connected = '03'
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[7] === socket && columns[5] === connected).length
}

export function openFilesOf({ pid }: TestDaemon): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
