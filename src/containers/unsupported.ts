import { notImplemented } from '#base/errors.ts'
import type { HostSettings } from './container.ts'

/** Refuses, at create, what this version cannot do: nothing that was asked for is left out in silence.   @throws `not-implemented` */
export function refuseUnsupported(host: HostSettings): void {
  const asked: readonly (readonly [boolean, string])[] = [
    [Object.keys(host.portBindings).some((port) => port.endsWith('/sctp')), 'publishing ports of SCTP'],
    [host.ipcMode.startsWith('container:'), `joining the IPC namespace of a container (--ipc ${host.ipcMode})`],
  ]
  for (const [wanted, what] of asked) {
    if (wanted) throw notImplemented(`${what}: not implemented yet`)
  }
}
