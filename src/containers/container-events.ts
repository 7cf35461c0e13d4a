import type { EngineEvent } from '#events/event.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'

/** Publishes what happened to a container, with the attributes that Docker gives: image, name, every label, and `details`. */
export function publish(
  { events }: Pick<ContainerContext, 'events'>,
  container: Container,
  action: string,
  details: Readonly<Record<string, string>> = {},
): void {
  events.publish(eventOf(container, action, details))
}

/** What happened to a container, to be published.   @param details take the place of labels of the same name */
export function eventOf(
  { id, name, config: { labels, image } }: Container,
  action: string,
  details: Readonly<Record<string, string>>,
): Omit<EngineEvent, 'time'> {
  return { type: 'container', action, actor: { id, attributes: { ...labels, image, name, ...details } } }
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
