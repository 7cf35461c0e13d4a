import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'

/** Publishes what happened to a container, with the attributes that Docker gives: image, name, every label, and `details`. */
export function publish(
  { events }: Pick<ContainerContext, 'events'>,
  container: Container,
  action: string,
  details: Readonly<Record<string, string>> = {},
): void {
  const { labels, image } = container.config
  const attributes = { ...labels, image, name: container.name, ...details }
  events.publish({ type: 'container', action, actor: { id: container.id, attributes } })
}

/** Writes the record and tells the event, both or neither. */
export function commit(
  context: Pick<ContainerContext, 'events' | 'store'>,
  container: Container,
  ...happened: readonly [action: string, details?: Readonly<Record<string, string>>][]
): void {
  context.store.database.transaction(() => {
    context.store.update(container)
    for (const [action, details] of happened) publish(context, container, action, details)
  })
}
