import { messageOf } from '#base/errors.ts'
import type { CheckEvent } from '#images/check/check-event.ts'
import { type Route, route } from '../call.ts'
import { presentCheckEvent } from '../present/system-check.ts'
import { stream } from '../reply.ts'

export const systemCheckRoutes: readonly Route[] = [
  route('POST /x/system/check', ({ query, signal }, engine) =>
    stream('application/json', toLines(engine.images.check({ repair: query.boolean('repair') }, signal))),
  ),
]

/** An error ends the stream as its last line: the status went out long ago. */
async function* toLines(events: AsyncIterable<CheckEvent>): AsyncGenerator<string> {
  try {
    for await (const event of events) yield `${JSON.stringify(presentCheckEvent(event))}\n`
  } catch (error) {
    const message = messageOf(error)
    yield `${JSON.stringify({ errorDetail: { message }, error: message })}\n`
  }
}
