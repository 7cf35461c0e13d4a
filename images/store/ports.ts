import type { EngineEvent } from '#events/event.ts'

/** Who uses an image: supplied by the containers. */
export interface ImageUsers {
  of(imageId: string): readonly { readonly id: string; readonly running: boolean }[]
  /** How many containers each image has; those without one may be missing. */
  counts(): ReadonlyMap<string, number>
}

/** Takes events inside the transaction that makes them true. */
export interface EventSink {
  publish(event: Omit<EngineEvent, 'time'>): void
}
