import type { Json } from './exchange.ts'
import type { Played } from './play.ts'

/** One place where two engines answered differently. `undefined`: it is not there. */
export interface Difference {
  /** `GET /containers/{web}/json answer.State.Pid` */
  readonly at: string
  readonly ours: Json | undefined
  readonly theirs: Json | undefined
}

/** Everything in which two plays of one script differ. */
export function differencesOf(ours: readonly Played[], theirs: readonly Played[]): Difference[] {
  return theirs.flatMap((expected, index) => {
    const actual = ours[index]
    const { request } = expected
    if (actual?.request !== request) return [{ at: `${request} is not played`, ours: undefined, theirs: undefined }]
    if (isSuccess(actual) !== isSuccess(expected)) {
      return [{ at: `${request} status`, ours: outcomeOf(actual), theirs: outcomeOf(expected) }]
    }
    return compare(comparable(actual), comparable(expected), '').map((one) => ({ ...one, at: `${request} ${one.at}` }))
  })
}

/** Where a difference is, whatever the container is called, the query asks and the item's index is. */
export function placeOf({ at }: Difference): string {
  const [method = '', rest = ''] = [at.slice(0, at.indexOf(' ')), at.slice(at.indexOf(' ') + 1)]
  const place = /^(?<path>[^?]*?)(\?.*)? (?<field>(status|headers|answer)[^ ]*)$/.exec(rest)?.groups
  if (place === undefined) return at
  const path = place.path?.replace(/^\/(containers|exec)\/(?!json|create|prune)[^/]+/, '/$1/*')
  return `${method} ${path} ${place.field?.replaceAll(/\.\d+(?=\.|$)|(?<=Networks)\.[^.]+/g, '.*')}`
}

function isSuccess({ status }: Pick<Played, 'status'>): boolean {
  return status < 400
}

function outcomeOf({ status, answer }: Played): Json {
  return isSuccess({ status }) ? status : [status, answer]
}

function comparable({ status, headers, answer }: Played): Json {
  return { status, headers, answer }
}

function compare(ours: Json | undefined, theirs: Json | undefined, at: string): Difference[] {
  if (!isBranch(ours) || !isBranch(theirs) || Array.isArray(ours) !== Array.isArray(theirs)) {
    return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [{ at, ours, theirs }]
  }
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)])
  return [...keys].flatMap((key) => compare(ours[key], theirs[key], at === '' ? key : `${at}.${key}`))
}

/** Lists of words are compared as wholes, other lists by their indexes. */
function isBranch(value: Json | undefined): value is Readonly<Record<string, Json>> {
  if (Array.isArray(value)) return value.some(isBranch)
  return typeof value === 'object' && value !== null
}
