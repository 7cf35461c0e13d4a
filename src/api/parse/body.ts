import type { IncomingMessage } from 'node:http'
import { invalid, tooLarge } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import { parseJson } from './go-json.ts'

/** A create request with tens of thousands of labels is below 4 MiB. */
const bodyLimit = 16 << 20
const what = 'the request body'

/**
 * The request's JSON value; undefined for an empty body.
 * @throws `invalid` in Docker's words for a wrong content type or bad JSON, `too-large`
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  // What is told to be too large is not even begun.
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit)
    throw tooLarge(`${what} is larger than ${bodyLimit} bytes`)
  const bytes = await readAll(request, bodyLimit, what)
  checkContentType(request.headers['content-type'], bytes.length === 0)
  return bytes.length === 0 ? undefined : parseJson(bytes.toString('utf8'))
}

function checkContentType(header: string | undefined, bodyIsEmpty: boolean): void {
  if (header === undefined || header === '') {
    if (bodyIsEmpty) return
    throw invalid('malformed Content-Type header (): mime: no media type')
  }
  const type = header.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/json') return
  throw invalid(`unsupported Content-Type header (${type}): must be 'application/json'`)
}
