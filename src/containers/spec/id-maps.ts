import { invalid } from '#base/errors.ts'
import type { IdMapSpec } from '#oci/runtime-spec.ts'
import type { HostSettings } from '../container.ts'

/** Who the users and groups of containers are on the host. */
export interface IdMaps {
  readonly uids: readonly IdMapSpec[]
  readonly gids: readonly IdMapSpec[]
}

/** The maps of this container; undefined: it has the host's users.   @throws `invalid` for what a mapped container cannot share, in Docker's words */
export function idMapsOf(host: HostSettings, daemon: IdMaps | undefined): IdMaps | undefined {
  if (daemon === undefined || host.usernsMode === 'host') return undefined
  if (host.privileged) {
    throw invalid(
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
    )
  }
  if (host.networkMode === 'host') {
    throw invalid("cannot share the host's network namespace when user namespaces are enabled")
  }
  if (host.pidMode === 'host') throw invalid('cannot share the host PID namespace when user namespaces are enabled')
  if (host.ipcMode === 'host') throw invalid('cannot share the host IPC namespace when user namespaces are enabled')
  return daemon
}
