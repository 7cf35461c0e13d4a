import type { EngineEvent } from '#events/event.ts'

/** One line of the event stream, with the fields of before 1.52 that devcontainers and others read. */
export function presentEvent({ type, action, actor, time }: EngineEvent): string {
  const legacy = type === 'container' || type === 'image'
  const from = type === 'container' ? actor.attributes.image : undefined
  const head = JSON.stringify({
    ...(legacy && { status: action, ...(actor.id !== '' && { id: actor.id }), ...(from !== undefined && { from }) }),
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes: actor.attributes },
    scope: 'local',
    time: Number(time / 1_000_000_000n),
  })
  // Nanoseconds since 1970 are beyond 2^53: as a number, the last digits would be wrong.
  return `${head.slice(0, -1)},"timeNano":${time}}\n`
}
