import { BerthError, type Kind, messageOf } from '#base/errors.ts'

/** The only place of the engine that knows these numbers. */
const statusOf = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'already-exists': 409,
  'not-modified': 304,
  'too-large': 413,
  'no-space': 507,
  'data-loss': 500,
  // Docker says 500 when a registry cannot be reached; 503 is left to what swarm would do.
  unavailable: 500,
  timeout: 500,
  cancelled: 499,
  'not-implemented': 501,
  internal: 500,
} as const satisfies Record<Kind, number>

export interface ErrorAnswer {
  readonly status: number
  /** Undefined where HTTP forbids a body. */
  readonly message: string | undefined
}

/** An error as status and message. Errors that we did not raise are ours to mend: 500, with their text. */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  if (!(error instanceof BerthError)) return { status: 500, message: messageOf(error) }
  if (error.code === 'not-a-swarm-manager') return { status: 503, message: error.message }
  const status = statusOf[error.kind]
  return { status, message: status === 304 ? undefined : error.message }
}
