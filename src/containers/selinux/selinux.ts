import type { Container, HostSettings } from '../container.ts'
import type { FileLabels, RootfsMounts } from '../ports.ts'
import type { EtcFiles } from '../spec/mounts.ts'
import { parseSecurityOptions } from '../spec/security-options.ts'
import type { HostLabels } from './host-labels.ts'
import { labelsOf, levelsOf, type SelinuxLabels } from './labels.ts'
import { freeLevel } from './levels.ts'
import { labelBelow, relabelSources } from './relabel.ts'

interface HostFiles {
  readonly etc: EtcFiles
  readonly rootfs: RootfsMounts
}

/** Labels of containers, where the host has SELinux and the daemon was told to use it. */
export class Selinux {
  readonly #host: HostLabels | undefined
  readonly #files: FileLabels

  /** @param host of `findHostLabels`; undefined: containers get no labels */
  constructor(host: HostLabels | undefined, files: FileLabels) {
    this.#host = host
    this.#files = files
  }

  get active(): boolean {
    return this.#host !== undefined
  }

  /**
   * For a new container, with categories that none of the others has: its record is what keeps them.
   * @throws `internal` in Docker's words for options that are wrong, `unavailable` when no categories are left
   */
  labelsFor({ securityOpt }: HostSettings, others: () => readonly Container[]): SelinuxLabels | undefined {
    if (this.#host === undefined) return undefined
    const taken = () => new Set(others().flatMap(({ selinux }) => (selinux ? levelsOf(selinux) : [])))
    return labelsOf(this.#host, parseSecurityOptions(securityOpt).labelOptions, () => freeLevel(taken()))
  }

  /**
   * Labels the files of the host that the container is to see as its own: those of /etc, the sources of `:z` and `:Z`, and a root that is a
   * directory; an overlay has its label as a mount.
   */
  async labelFiles({ mounts, selinux }: Container, { etc, rootfs }: HostFiles, signal: AbortSignal): Promise<void> {
    if (!this.active || selinux === undefined || selinux.mount === '') return
    const { mount } = selinux
    const relabelling = { files: this.#files, mountLabel: mount, signal }
    // One after the other: after a failure nothing may go on behind the back of who undoes the start.
    for (const path of [etc.hostname, etc.hosts, etc.resolvConf]) await this.#files.set(path, mount)
    await relabelSources(mounts, relabelling)
    if (rootfs.kind === 'directory') await labelBelow(rootfs.path, relabelling)
  }

  /** Labels a file that every container may run and none may change. */
  async labelShared(path: string): Promise<void> {
    if (this.#host !== undefined && this.#host.readOnlyFile !== '') await this.#files.set(path, this.#host.readOnlyFile)
  }
}
