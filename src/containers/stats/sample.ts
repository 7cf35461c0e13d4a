import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { CgroupStats } from '#runtime/cgroup.ts'

/** What one container had used at a moment. */
export interface Sample {
  /** Nanoseconds since 1970. */
  readonly readAt: bigint
  readonly counters: CgroupStats
  readonly host: HostCpu
}

export interface HostCpu {
  /** Processor time of the whole host, idle time included, in ns; all processors together. */
  readonly total: number
  readonly online: number
}

export interface LinkCounters {
  readonly name: string
  readonly received: TrafficCounters
  readonly sent: TrafficCounters
}

export interface TrafficCounters {
  readonly bytes: number
  readonly packets: number
  readonly errors: number
  readonly dropped: number
}

const nanosPerTick = 10_000_000
/** A process in the container may make thousands of links. */
const linkTableLimit = 64 << 10
/** The kernel gives these to every network namespace once their modules are loaded. */
const fallbackTunnels = /^(tunl0|sit0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6tnl0|ip6gre0)$/

/** @see proc_stat(5): user to softirq, as dockerd adds them up */
export function readHostCpu(): HostCpu {
  const text = readFileSync('/proc/stat', 'utf8')
  const [, ...ticks] = text.slice(0, text.indexOf('\n')).split(/\s+/)
  const total = ticks.slice(0, 7).reduce((sum, one) => sum + Number(one), 0) * nanosPerTick
  return { total, online: text.match(/^cpu\d/gm)?.length ?? 0 }
}

/** The links in the network namespace of a process, but for loopback; empty when it has just ended. */
export function readLinks(pid: number): LinkCounters[] {
  return parseLinks(readHead(`/proc/${pid}/net/dev`))
}

/** @see proc_pid_net(5): eight columns received, eight sent */
export function parseLinks(text: string): LinkCounters[] {
  return text.split('\n').flatMap((line) => {
    const [, name, numbers = ''] = /^\s*(\S+):\s*(\d.*)$/.exec(line) ?? []
    const columns = numbers.trim().split(/\s+/).map(Number)
    if (name === undefined || name === 'lo' || fallbackTunnels.test(name) || columns.length < 16) return []
    return [{ name, received: toTraffic(columns), sent: toTraffic(columns.slice(8)) }]
  })
}

function toTraffic([bytes = 0, packets = 0, errors = 0, dropped = 0]: readonly number[]): TrafficCounters {
  return { bytes, packets, errors, dropped }
}

function readHead(path: string): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return ''
  }
  try {
    const buffer = Buffer.alloc(linkTableLimit)
    let length = 0
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null)
    }
    return buffer.toString('latin1', 0, length)
  } catch {
    return ''
  } finally {
    closeSync(file)
  }
}
