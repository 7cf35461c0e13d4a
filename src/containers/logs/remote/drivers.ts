import type { RemoteDriver } from './driver.ts'
import { fluentd } from './fluentd.ts'
import { gelf } from './gelf.ts'
import { journald } from './journald.ts'
import { syslog } from './syslog.ts'

const drivers: Readonly<Record<string, RemoteDriver>> = { fluentd, gelf, journald, syslog }

/** Undefined: it is not one that sends. */
export function remoteDriver(name: string): RemoteDriver | undefined {
  return Object.hasOwn(drivers, name) ? drivers[name] : undefined
}

export const remoteDriverNames: readonly string[] = Object.keys(drivers)
