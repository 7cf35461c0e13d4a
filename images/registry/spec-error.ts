import { BerthError, type Kind } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import { familiarName, familiarReference, type Reference } from '#oci/reference.ts'
import { parseChallenges } from './challenge.ts'
import type { RegistryResponse } from './transport.ts'
import { withoutSecrets } from './transport-error.ts'

/** What a registry said in an answer that is no success. @see distribution-spec v1.1 "Error codes" */
export interface SpecError {
  readonly status: number
  /** `MANIFEST_UNKNOWN`; undefined when the answer was not in the form of the specification. */
  readonly code: string | undefined
  readonly message: string
}

const maxErrorBytes = 64 << 10

/** Reads the answer's body. The challenge wins over the body, as `insufficient_scope` is how hubs deny. @see RFC 6750 §3.1 */
export async function readSpecError(response: RegistryResponse): Promise<SpecError> {
  const inBody = parseErrorBody(await bodyOf(response))
  const challenge = parseChallenges(response.header('www-authenticate') ?? '').find(({ scheme }) => scheme === 'bearer')
  const { status } = response
  const description = challenge?.parameters.error_description
  switch (challenge?.parameters.error) {
    case 'insufficient_scope':
      return { status, code: 'DENIED', message: description ?? defaultMessages.DENIED }
    case 'invalid_token':
      return { status, code: 'UNAUTHORIZED', message: description ?? defaultMessages.UNAUTHORIZED }
  }
  if (inBody) return { status, ...inBody }
  if (status === 401) return { status, code: 'UNAUTHORIZED', message: defaultMessages.UNAUTHORIZED }
  return { status, code: undefined, message: `${status} ${response.statusText}`.trim() }
}

const defaultMessages = {
  DENIED: 'requested access to the resource is denied',
  UNAUTHORIZED: 'authentication required',
}

async function bodyOf(response: RegistryResponse): Promise<string> {
  try {
    return (await readAll(response.body, maxErrorBytes, 'the answer')).toString('utf8')
  } catch {
    // The status alone tells enough; a body that is cut off or endless adds nothing.
    response.body.destroy()
    return ''
  }
}

function parseErrorBody(text: string): { code: string; message: string } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const errors: unknown = fieldOf(value, 'errors')
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  const code = fieldOf(first, 'code')
  const message = fieldOf(first, 'message')
  if (typeof code !== 'string') return undefined
  return {
    code: code.slice(0, 100),
    message: typeof message === 'string' ? message.slice(0, 1000) : code.toLowerCase(),
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** The error of a push, in Docker's words. */
export function toPushError(error: SpecError): BerthError {
  if (error.code !== undefined) return registryError(kindOfStatus(error.status), toText(error.code, error), error)
  return new BerthError(kindOfStatus(error.status), `received unexpected HTTP status: ${error.message}`)
}

/** The error of a pull, in Docker's words. */
export function toPullError(error: SpecError, response: RegistryResponse, reference: Reference): BerthError {
  if (error.code === undefined) {
    return new BerthError(
      kindOfStatus(error.status),
      `unexpected status from request to ${withoutSecrets(response.url)}: ${error.message}`,
    )
  }
  const text = toText(error.code, error)
  switch (error.code) {
    case 'MANIFEST_UNKNOWN':
      return registryError('not-found', `manifest for ${familiarReference(reference)} not found: ${text}`, error)
    case 'NAME_UNKNOWN':
      return registryError('not-found', `repository ${familiarName(reference)} not found: ${text}`, error)
    case 'DENIED': {
      // Docker answers 404: a hub denies what it does not have, and clients rely on that.
      const name = familiarName(reference)
      const hint = "repository does not exist or may require 'docker login'"
      return registryError('not-found', `pull access denied for ${name}, ${hint}: ${text}`, error)
    }
    case 'UNAUTHORIZED':
      return registryError('unauthorized', text, error)
    default:
      return registryError(kindOfStatus(error.status), text, error)
  }
}

function toText(code: string, { message }: SpecError): string {
  return `${code.toLowerCase().replaceAll('_', ' ')}: ${message}`
}

/** Its cause are the words of the registry alone. */
function registryError(kind: Kind, message: string, error: SpecError): BerthError {
  const { code } = error
  const words = code === undefined ? error.message : toText(code, error)
  return new BerthError(kind, message, {
    code: `registry-${code?.toLowerCase().replaceAll('_', '-')}`,
    cause: new Error(words),
  })
}

function kindOfStatus(status: number): Kind {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not-found'
  return 'unavailable'
}
