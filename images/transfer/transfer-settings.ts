import type { RegistryConfig } from '../registry/registry-config.ts'
import type { TransportLimits } from '../registry/transport.ts'
import { Slots } from './slots.ts'

export interface TransferChoices {
  readonly registries: RegistryConfig
  /** Layers at a time, over all pulls. */
  readonly maxConcurrentDownloads: number
  /** Layers at a time, over all pushes. */
  readonly maxConcurrentUploads: number
  readonly maxDownloadAttempts: number
}

/** What pulls and pushes go by; it can change while they run, and counts for what begins later. */
export class TransferSettings {
  readonly downloads: Slots
  readonly uploads: Slots
  /** As they are when they are read. */
  readonly registries: RegistryConfig
  readonly limits: Partial<TransportLimits>
  #chosen: TransferChoices

  constructor(choices: TransferChoices) {
    this.#chosen = choices
    this.downloads = new Slots(choices.maxConcurrentDownloads)
    this.uploads = new Slots(choices.maxConcurrentUploads)
    const chosen = () => this.#chosen
    this.registries = {
      get mirrored() {
        return chosen().registries.mirrored
      },
      get insecure() {
        return chosen().registries.insecure
      },
      get proxies() {
        return chosen().registries.proxies
      },
    }
    this.limits = {
      get attempts() {
        return chosen().maxDownloadAttempts
      },
    }
  }

  change(choices: TransferChoices): void {
    this.#chosen = choices
    this.downloads.resize(choices.maxConcurrentDownloads)
    this.uploads.resize(choices.maxConcurrentUploads)
  }
}
