import fc, { type Arbitrary } from 'fast-check'
import type { FuzzRequest } from './request.ts'
import { hostileText } from './values.ts'

const host = 'Host: docker'

/** Requests whose bytes are wrong before any operation is asked for, or that nobody sends. */
export const brokenRequest: Arbitrary<FuzzRequest> = fc.oneof(
  raw(
    'a request line that is none',
    fc.oneof(hostileText, fc.string({ unit: 'binary' })).map((line) => [line, host]),
  ),
  raw(
    'a target that is none',
    fc
      .tuple(fc.constantFrom('GET', 'POST'), hostileText)
      .map(([verb, to]) => [`${verb} ${oneLine(to)} HTTP/1.1`, host]),
  ),
  raw(
    'another protocol',
    fc.constantFrom(['GET /_ping'], ['PRI * HTTP/2.0', '', 'SM'], ['\x16\x03\x01\x02\0\x01'], ['GET /_ping HTTP/9.9']),
  ),
  raw(
    'many headers',
    fc.constantFrom(100, 3000, 100_000).map((count) => ['GET /info HTTP/1.1', host, ...flood(count)]),
  ),
  raw(
    'a long header',
    fc
      .constantFrom(200 << 10, 300 << 10, 4 << 20)
      .map((size) => ['GET /_ping HTTP/1.1', host, `X: ${'x'.repeat(size)}`]),
  ),
  raw(
    'a long target',
    fc.constantFrom(60_000, 300_000).map((size) => [`GET /${'x'.repeat(size)} HTTP/1.1`, host]),
  ),
  raw(
    'a long filter',
    fc.constantFrom(1000, 100_000).map((size) => [`GET /events?filters=${'%5B'.repeat(size)} HTTP/1.1`, host]),
  ),
  raw(
    'a header that is none',
    hostileText.map((text) => ['GET /version HTTP/1.1', host, text]),
  ),
  raw(
    'two lengths',
    fc.constantFrom(
      ['POST /containers/create HTTP/1.1', host, 'Content-Length: 2', 'Transfer-Encoding: chunked'],
      ['POST /containers/create HTTP/1.1', host, 'Content-Length: 2', 'Content-Length: 20'],
      ['POST /containers/create HTTP/1.1', host, 'Content-Length: -1'],
      ['POST /containers/create HTTP/1.1', host, `Content-Length: ${'9'.repeat(30)}`],
      ['POST /containers/create HTTP/1.1', host, 'Transfer-Encoding: gzip'],
    ),
  ),
  raw(
    'an upgrade half done',
    fc
      .tuple(
        fc.constantFrom(
          'POST /containers/@running@/attach?stream=1&stdout=1',
          'POST /exec/@exec@/start',
          'GET /containers/@running@/attach/ws?stream=1',
          'POST /session',
          'GET /info',
          'POST /nosuch',
        ),
        fc.constantFrom(
          ['Upgrade: tcp'],
          ['Connection: Upgrade'],
          ['Connection: Upgrade', 'Upgrade: websocket'],
          [
            ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          ],
          ['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 10'],
        ),
      )
      .map(([line, upgrade]) => [`${line} HTTP/1.1`, host, ...upgrade]),
  ),
  raw(
    'several at once',
    fc.constantFrom('/_ping', '/info', '/nosuch', '/events').map((path) => pipelined(path)),
  ),
  raw(
    'a wish to continue',
    fc
      .constantFrom('100-continue', 'x')
      .map((wish) => ['POST /containers/create HTTP/1.1', host, `Expect: ${wish}`, 'Content-Length: 5']),
  ),
)

function raw(about: string, head: Arbitrary<readonly string[]>): Arbitrary<FuzzRequest> {
  return fc.tuple(head, hostileText).map(([lines, body]) => ({ about, head: lines, body, framing: 'none' }))
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, '')
}

function flood(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `X-${at}: ${at}`)
}

/** Five requests, of which the last one's end is missing. */
function pipelined(path: string): string[] {
  const one = [`GET ${path} HTTP/1.1`, host, '']
  return [...one, ...one, ...one, ...one, `GET ${path} HTTP/1.1`]
}
