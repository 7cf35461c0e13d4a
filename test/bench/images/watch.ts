import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../measure.ts'

export interface WatchedPull {
  /** How much more private and shared memory the daemon had at its worst than before, in MB. */
  readonly growthMegabytes: number
  /** Of a list of containers over the socket, while the pull ran. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Asks the daemon for its containers all the time while `work` runs, and looks at its memory. */
export async function watchDaemon(
  { pid, socket }: { readonly pid: number; readonly socket: string },
  work: () => Promise<unknown>,
): Promise<WatchedPull> {
  for (let warmUp = 0; warmUp < 20; warmUp += 1) await timeList(socket)
  const before = residentKilobytes(pid)
  const samples: number[] = []
  let most = before
  let running = true
  const ended = work().finally(() => {
    running = false
  })
  while (running) {
    samples.push(await timeList(socket))
    most = Math.max(most, residentKilobytes(pid))
    await sleep(5)
  }
  await ended
  return { growthMegabytes: (most - before) / 1000, p50Ms: quantile(samples, 0.5), p99Ms: quantile(samples, 0.99) }
}

function residentKilobytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

async function timeList(socketPath: string): Promise<number> {
  const begin = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const sent = request({ socketPath, path: '/containers/json', agent: false }, (response) => {
    response.resume().once('end', resolve).once('error', reject)
  })
  sent.once('error', reject).end()
  await promise
  return performance.now() - begin
}
