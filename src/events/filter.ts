import type { Filters } from '#base/filters.ts'
import type { EngineEvent } from './event.ts'

/** Actions whose detail after the colon a filter need not name. */
const actionsWithDetail = ['health_status', 'exec_create', 'exec_start']

/** Docker's filters of /events: values of one key are alternatives, keys add up; unknown keys filter nothing. */
export function matchesEvent(filters: Filters, event: EngineEvent): boolean {
  return (
    filters.matchesExactly('scope', 'local') &&
    filters.matchesExactly('type', event.type) &&
    matchesAction(filters, event.action) &&
    (['container', 'network', 'volume', 'daemon'] as const).every((key) => matchesActor(filters, key, event)) &&
    matchesImage(filters, event) &&
    filters.matchesLabels(event.actor.attributes)
  )
}

function matchesAction(filters: Filters, action: string): boolean {
  const wanted = filters.get('event')
  if (wanted.length === 0 || wanted.includes(action)) return true
  return wanted.some((word) => actionsWithDetail.includes(word)) && wanted.some((word) => action.startsWith(word))
}

function matchesActor(filters: Filters, key: EngineEvent['type'], { type, actor }: EngineEvent): boolean {
  const wanted = filters.get(key)
  if (wanted.length === 0) return true
  if (type !== key) return false
  return wanted.some((name) => actor.id.startsWith(name) || actor.attributes.name?.startsWith(name) === true)
}

/** By id, by name, or by name without its tag; of a container event the image it runs. */
function matchesImage(filters: Filters, { type, actor }: EngineEvent): boolean {
  const wanted = filters.get('image')
  if (wanted.length === 0) return true
  const name = actor.attributes[type === 'image' ? 'name' : 'image'] ?? ''
  const candidates = [...(type === 'image' ? [actor.id, withoutTag(actor.id)] : []), name, withoutTag(name)]
  return candidates.some((candidate) => candidate !== '' && wanted.includes(candidate))
}

function withoutTag(name: string): string {
  return name.replace(/:[\w.-]+$/, '')
}
