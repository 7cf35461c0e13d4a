import { systemClock } from '#base/clock.ts'
import { invalid, isKind } from '#base/errors.ts'
import { type ApiVersion, since as newer } from '#contract/versions.ts'
import type { EngineEvent } from '#events/event.ts'
import { type Route, route } from '../call.ts'
import { parseFilters } from '../parse/filters.ts'
import { parseTimeParameter } from '../parse/time.ts'
import { presentEvent } from '../present/event.ts'
import { stream } from '../reply.ts'

export const eventRoutes: readonly Route[] = [
  route('GET /events', ({ query, version, signal }, engine) => {
    const now = systemClock.nowNanos()
    const [since, until] = [parseTimeParameter(query.text('since'), now), parseTimeParameter(query.text('until'), now)]
    if (since !== undefined && until !== undefined && since > until) {
      throw invalid(`\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`)
    }
    const events = engine.events.subscribe(
      {
        ...(since !== undefined && { since }),
        ...(until !== undefined && { until }),
        filters: parseFilters(query.text('filters')),
      },
      signal,
    )
    return stream('application/json', presentEvents(events, version))
  }),
]

async function* presentEvents(events: AsyncIterable<EngineEvent>, version: ApiVersion): AsyncGenerator<string> {
  try {
    for await (const event of events) if (isKnown(event, version)) yield presentEvent(event)
  } catch (error) {
    // The client has gone: there is nobody to tell.
    if (!isKind(error, 'cancelled')) throw error
  }
}

function isKnown({ type, action }: EngineEvent, version: ApiVersion): boolean {
  return type !== 'image' || action !== 'create' || version >= newer.imageCreateEvents
}
