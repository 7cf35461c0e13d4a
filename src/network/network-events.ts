import type { EngineEvent } from '#events/event.ts'
import type { Network } from './network.ts'

/** Called within the transaction of what it tells. */
export type Publish = (event: Omit<EngineEvent, 'time'>) => void

export function tell(
  publish: Publish,
  action: string,
  { id, name, driver }: Network,
  more: Readonly<Record<string, string>> = {},
): void {
  publish({ type: 'network', action, actor: { id, attributes: { ...more, name, type: driver } } })
}
