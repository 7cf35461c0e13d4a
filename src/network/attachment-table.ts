import { type Attachment, plainAttachment } from './attachment.ts'
import type { NetworkStore } from './network-store.ts'
import type { NetworkTable } from './network-table.ts'

/** The networks that each container is to be on, whether it runs or not. Changes belong into a transaction. */
export class AttachmentTable {
  readonly #store: NetworkStore
  readonly #networks: NetworkTable
  readonly #byContainer: Map<string, readonly Attachment[]>

  constructor(store: NetworkStore, networks: NetworkTable) {
    this.#store = store
    this.#networks = networks
    this.#byContainer = new Map(store.attachments())
  }

  /** In the order in which it joins them; containers of others' network stacks have none. */
  of(containerId: string, mode: string): readonly Attachment[] {
    const known = this.#byContainer.get(containerId)
    if (known) return known
    if (mode.startsWith('container:')) return []
    return [this.named(mode)]
  }

  named(mode: string): Attachment {
    const network = this.#networks.find(networkName(mode))
    return plainAttachment(network?.name ?? networkName(mode), network?.id)
  }

  put(containerId: string, attachments: readonly Attachment[]): void {
    this.#store.putAttachments(containerId, attachments)
    this.#byContainer.set(containerId, attachments)
  }

  /** Containers that are gone. */
  retain(containerIds: ReadonlySet<string>): void {
    for (const id of this.#byContainer.keys()) if (!containerIds.has(id)) this.delete(id)
  }

  delete(containerId: string): void {
    if (!this.#byContainer.has(containerId)) return
    this.#store.deleteAttachments(containerId)
    this.#byContainer.delete(containerId)
  }
}

/** What a NetworkMode calls the default network. */
export function networkName(mode: string): string {
  return mode === 'default' || mode === '' ? 'bridge' : mode
}
