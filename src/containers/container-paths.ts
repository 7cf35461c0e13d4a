import { join } from 'node:path'
import type { EtcFiles } from './spec/mounts.ts'

/** Where the files of containers are. */
export class ContainerPaths {
  readonly dataRoot: string
  readonly #execRoot: string

  constructor(dataRoot: string, execRoot: string) {
    this.dataRoot = dataRoot
    this.#execRoot = execRoot
  }

  /** Holds log, hostname, hosts and resolv.conf as long as the record. */
  directory(id: string): string {
    return join(this.dataRoot, 'containers', id)
  }

  /** Holds the shim's socket and exit record, from start to exit. */
  shimDirectory(id: string): string {
    return join(this.#execRoot, 'shims', id)
  }

  /** Of a runtime that the shim calls: the bundle, and the runtime's own directory of states. */
  otherRuntime(id: string): { readonly bundle: string; readonly state: string } {
    const directory = this.shimDirectory(id)
    return { bundle: join(directory, 'bundle'), state: join(directory, 'state') }
  }

  get shims(): string {
    return join(this.#execRoot, 'shims')
  }

  log(id: string): string {
    return join(this.directory(id), `${id}-json.log`)
  }

  /** How much of the log a driver that sends has sent. */
  logPosition(id: string): string {
    return join(this.directory(id), 'log-position')
  }

  /** There while the container is paused for a moment only. */
  pauseMark(id: string): string {
    return join(this.directory(id), 'paused-meanwhile')
  }

  etc(id: string): EtcFiles {
    const directory = this.directory(id)
    return {
      hostname: join(directory, 'hostname'),
      hosts: join(directory, 'hosts'),
      resolvConf: join(directory, 'resolv.conf'),
    }
  }
}
