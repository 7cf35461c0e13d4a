import type { HostSettings } from './container.ts'

export const defaultIpcModes = ['private', 'shareable'] as const
export const defaultCgroupnsModes = ['private', 'host'] as const

export type DefaultIpcMode = (typeof defaultIpcModes)[number]
export type DefaultCgroupnsMode = (typeof defaultCgroupnsModes)[number]

/** What the daemon says at create, for good, of containers that do not say it themselves. */
export interface CreateDefaults {
  readonly shmSizeBytes: number
  readonly ipcMode: DefaultIpcMode
  readonly cgroupnsMode: DefaultCgroupnsMode
}

/** Those that count now: a daemon may read them again. */
export class CurrentDefaults {
  #value: CreateDefaults

  constructor(value: CreateDefaults = { shmSizeBytes: 64 << 20, ipcMode: 'private', cgroupnsMode: 'private' }) {
    this.#value = value
  }

  change(value: CreateDefaults): void {
    this.#value = value
  }

  complete(host: HostSettings): HostSettings {
    const { shmSizeBytes, ipcMode, cgroupnsMode } = this.#value
    return {
      ...host,
      shmSizeBytes: host.shmSizeBytes || shmSizeBytes,
      ipcMode: host.ipcMode || ipcMode,
      cgroupnsMode: host.cgroupnsMode || cgroupnsMode,
    }
  }
}
