/** The closed list of what can be wrong. Edges map a kind once: to an HTTP status, a gRPC code, an exit code. */
export const kinds = [
  'invalid',
  'unauthorized',
  'forbidden',
  'not-found',
  'conflict',
  'already-exists',
  'not-modified',
  'too-large',
  'no-space',
  'data-loss',
  'unavailable',
  'timeout',
  'cancelled',
  'not-implemented',
  'internal',
] as const

export type Kind = (typeof kinds)[number]

export interface ErrorDetail {
  /** Stable and reachable by users: `container-paused`. */
  readonly code?: string
  readonly cause?: unknown
}

/** Every error that we raise on purpose: a sentence that names the object and the way out. */
export class BerthError extends Error {
  override readonly name = 'BerthError'
  readonly kind: Kind
  readonly code: string | undefined

  constructor(kind: Kind, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.kind = kind
    this.code = detail.code
  }
}

type Constructor = (message: string, detail?: ErrorDetail) => BerthError

const of =
  (kind: Kind): Constructor =>
  (message, detail) =>
    new BerthError(kind, message, detail)

export const invalid = of('invalid')
export const unauthorized = of('unauthorized')
export const forbidden = of('forbidden')
export const notFound = of('not-found')
export const conflict = of('conflict')
export const alreadyExists = of('already-exists')
export const notModified = of('not-modified')
export const tooLarge = of('too-large')
export const noSpace = of('no-space')
export const dataLoss = of('data-loss')
export const unavailable = of('unavailable')
export const timeout = of('timeout')
export const cancelled = of('cancelled')
export const notImplemented = of('not-implemented')
export const internal = of('internal')

export function isKind(error: unknown, kind: Kind): error is BerthError {
  return error instanceof BerthError && error.kind === kind
}

/** The system's own code of a failed call (`ENOENT`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
