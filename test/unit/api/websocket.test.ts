import { expect, test } from 'vitest'
import { acceptKey, encodeFrame, FrameDecoder } from '#api/streams/websocket-frames.ts'

/** As a client sends it. */
function masked(opcode: number, payload: string, { last = true, mask = [1, 2, 3, 4] } = {}): Buffer {
  const bytes = Buffer.from(payload)
  const size = bytes.length < 126 ? [bytes.length | 0x80] : [126 | 0x80, bytes.length >> 8, bytes.length & 255]
  const hidden = bytes.map((byte, at) => byte ^ (mask[at & 3] ?? 0))
  return Buffer.concat([Buffer.from([(last ? 0x80 : 0) | opcode, ...size, ...mask]), hidden])
}

test("the handshake's answer is that of the RFC's example", () => {
  expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})

test.each([1, 2, 3, 7, 1000])('frames come out whole when they arrive in pieces of %i bytes', (size) => {
  const long = 'long '.repeat(100)
  const bytes = Buffer.concat([
    masked(2, 'begin ', { last: false }),
    masked(9, 'ping'),
    masked(0, 'end '),
    masked(1, ''),
    masked(2, long),
    masked(8, ''),
    masked(2, 'after the close'),
  ])
  const decoder = new FrameDecoder()
  const decoded = []
  for (let at = 0; at < bytes.length; at += size) decoded.push(...decoder.push(bytes.subarray(at, at + size)))
  const data = decoded.flatMap((frame) => (frame.kind === 'data' ? [frame.bytes] : []))
  expect(Buffer.concat(data).toString()).toBe(`begin end ${long}`)
  expect(decoded.flatMap((frame) => (frame.kind === 'ping' ? [frame.bytes.toString()] : []))).toEqual(['ping'])
  expect(decoded.at(-1)).toEqual({ kind: 'close' })
})

test.each([
  ['without a mask', Buffer.from([0x82, 1, 65])],
  ['with a reserved bit', Buffer.from([0xc2, 0x81, 0, 0, 0, 0, 65])],
  ['of an unknown kind', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
  ['that is a ping in parts', Buffer.from([0x09, 0x80, 0, 0, 0, 0])],
  ['that is a ping too long', Buffer.from([0x89, 0xfe, 0, 126, 0, 0, 0, 0])],
])('a frame %s breaks the protocol, and nothing after it is read', (_, bytes) => {
  expect(new FrameDecoder().push(Buffer.concat([bytes, masked(2, 'more')]))).toEqual([{ kind: 'broken' }])
})

test.each([
  [5, [0x82, 5]],
  [126, [0x82, 126, 0, 126]],
  [70_000, [0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]],
])('a message of %i bytes has its size in front', (size, head) => {
  const frame = encodeFrame('binary', Buffer.alloc(size))
  expect([...frame.subarray(0, head.length)]).toEqual(head)
  expect(frame.length).toBe(head.length + size)
})
