import { notImplemented } from '#base/errors.ts'
import type { HostSettings } from './container.ts'

/** Refuses, at create, what this version cannot do: nothing that was asked for is left out in silence.   @throws `not-implemented` */
export function refuseUnsupported({ portBindings }: HostSettings): void {
  if (!Object.keys(portBindings).some((port) => port.endsWith('/sctp'))) return
  throw notImplemented('publishing ports of SCTP: not implemented yet')
}
