import { describe, expect, test } from 'vitest'
import { decoderOf, parseHead, type ResponseHead } from '#cli/client/http-parse.ts'

const headOf = (text: string): ResponseHead => {
  const parsed = parseHead(Buffer.from(text))
  if (!parsed) throw new Error('the head is not complete')
  return parsed.head
}

const chunked = headOf('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')

/** Feeds the bytes in pieces of `size`. */
function decode(head: ResponseHead, bytes: string, size: number): { body: string; done: boolean } {
  const decoder = decoderOf(head, 'GET')
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) parts.push(...decoder.push(Buffer.from(bytes.slice(at, at + size))))
  return { body: Buffer.concat(parts).toString(), done: decoder.done }
}

describe('the head', () => {
  test('is read with its length, and bytes behind it are not touched', () => {
    const text = 'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nUpgrade: tcp\r\n\r\nrest'
    const parsed = parseHead(Buffer.from(text))
    expect(parsed?.head.status).toBe(101)
    expect(parsed?.head.headers.get('content-type')).toBe('application/vnd.docker.raw-stream')
    expect(text.slice(parsed?.length)).toBe('rest')
  })

  test('is not there before the empty line', () => {
    expect(parseHead(Buffer.from('HTTP/1.1 200 OK\r\nA: b\r\n'))).toBeUndefined()
  })

  test('joins headers that come twice', () => {
    expect(headOf('HTTP/1.1 200 OK\r\nA: b\r\na: c\r\n\r\n').headers.get('a')).toBe('b, c')
  })

  test.each(['SSH-2.0-OpenSSH\r\n\r\n', 'HTTP/1.1 20 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'])(
    '%j is refused',
    (text) => {
      expect(() => parseHead(Buffer.from(text))).toThrow('malformed HTTP')
    },
  )
})

describe('a chunked body', () => {
  const bytes = '5\r\nhello\r\n1;ext=1\r\n \r\n00A\r\nworld 1234\r\n0\r\nTrailer: x\r\n\r\n'

  test.each([1, 2, 3, 4, 5, 7, 11, 1000])('is the same in pieces of %i bytes', (size) => {
    expect(decode(chunked, bytes, size)).toEqual({ body: 'hello world 1234', done: true })
  })

  test('passes a chunk on before it is complete', () => {
    const decoder = decoderOf(chunked, 'GET')
    expect(Buffer.concat(decoder.push(Buffer.from('64\r\nabc'))).toString()).toBe('abc')
    expect(decoder.done).toBe(false)
  })

  test.each(['x\r\n', '-1\r\n', '5\r\nhello!\r\n', 'fffffffffffffff\r\n', 'a'.repeat(20_000)])(
    '%.20j is refused',
    (text) => {
      expect(() => decoderOf(chunked, 'GET').push(Buffer.from(text))).toThrow('malformed chunk')
    },
  )

  test('that ends too early is an error', () => {
    const decoder = decoderOf(chunked, 'GET')
    decoder.push(Buffer.from('5\r\nhe'))
    expect(() => decoder.end()).toThrow('unexpected EOF')
  })
})

describe('a body with a length', () => {
  const head = headOf('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')

  test('ends after its bytes', () => {
    expect(decode(head, 'hello+more', 3)).toEqual({ body: 'hello', done: true })
  })

  test('that is cut is an error', () => {
    expect(() => decoderOf(head, 'GET').end()).toThrow('unexpected EOF')
  })
})

test('answers without a body are complete at once', () => {
  for (const status of [204, 304]) expect(decoderOf(headOf(`HTTP/1.1 ${status} X\r\n\r\n`), 'GET').done).toBe(true)
  expect(decoderOf(chunked, 'HEAD').done).toBe(true)
})

test('a body without length lasts until the connection ends', () => {
  const decoder = decoderOf(headOf('HTTP/1.0 200 OK\r\n\r\n'), 'GET')
  expect(Buffer.concat(decoder.push(Buffer.from('all'))).toString()).toBe('all')
  expect(decoder.done).toBe(false)
  decoder.end()
})
