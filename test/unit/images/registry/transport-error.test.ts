import { expect, test } from 'vitest'
import { toTransportError } from '#images/registry/transport-error.ts'

const failure = (code: string) => Object.assign(new Error('raw'), { code })
const request = { method: 'HEAD', url: 'https://registry.example:5000/v2/x/manifests/latest?secret=1' }
const head = 'failed to do request: Head "https://registry.example:5000/v2/x/manifests/latest": '

test.each([
  ['ECONNREFUSED', 'unavailable', 'dial tcp registry.example:5000: connect: connection refused'],
  ['ENOTFOUND', 'unavailable', 'dial tcp: lookup registry.example: no such host'],
  ['UND_ERR_CONNECT_TIMEOUT', 'unavailable', 'dial tcp registry.example:5000: i/o timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout', 'timeout awaiting response headers'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'unavailable', 'http: server gave HTTP response to HTTPS client'],
  ['SOMETHING_ELSE', 'unavailable', 'raw'],
])('%s is told without the query', (code, kind, reason) => {
  expect(toTransportError(failure(code), request)).toMatchObject({ kind, message: `${head}${reason}` })
})

test('the first of several failed addresses is told', () => {
  const all = new AggregateError([failure('ECONNREFUSED'), failure('ENETUNREACH')], '')
  expect(toTransportError(all, request).message).toBe(
    `${head}dial tcp registry.example:5000: connect: connection refused`,
  )
})
