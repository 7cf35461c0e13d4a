import { isKind, unavailable } from '#base/errors.ts'

/** A registry that wants other credentials is a 500, as with Docker: at a 401 the docker CLI would wait for somebody to type a password. */
export function refusedByRegistry(error: unknown): never {
  if (isKind(error, 'unauthorized') || isKind(error, 'forbidden')) {
    throw unavailable(error.message, { ...(error.code !== undefined && { code: error.code }), cause: error })
  }
  throw error
}
