import { expect, test } from 'vitest'
import { DetachFilter, defaultDetachKeys, parseDetachKeys } from '#cli/terminal/detach-keys.ts'
import { FrameDecoder } from '#cli/terminal/frames.ts'

function frame(stream: number, payload: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(payload), 4)
  return Buffer.concat([header, Buffer.from(payload)])
}

const bytes = Buffer.concat([frame(1, 'out'), frame(2, ''), frame(2, 'error'), frame(1, 'x'.repeat(300))])

test.each([1, 3, 7, 8, 9, 11, 1000])('frames come out whole when they arrive in pieces of %i bytes', (size) => {
  const decoder = new FrameDecoder()
  const texts = { 1: '', 2: '' }
  for (let at = 0; at < bytes.length; at += size) {
    for (const { stream, payload } of decoder.push(bytes.subarray(at, at + size))) texts[stream] += payload.toString()
  }
  expect(texts).toEqual({ 1: `out${'x'.repeat(300)}`, 2: 'error' })
})

test('a part of a payload is passed on at once', () => {
  const [first] = new FrameDecoder().push(frame(1, 'hello').subarray(0, 10))
  expect(first?.payload.toString()).toBe('he')
})

test('an error of the engine inside the stream is thrown', () => {
  expect(() => new FrameDecoder().push(frame(3, 'it broke'))).toThrow('it broke')
  expect(() => new FrameDecoder().push(frame(9, 'x'))).toThrow('Unrecognized input header')
})

test('detach keys are read as docker names them', () => {
  expect([...parseDetachKeys(defaultDetachKeys)]).toEqual([16, 17])
  expect([...parseDetachKeys('a,ctrl-@,ctrl-[,ctrl-_,DEL')]).toEqual([97, 0, 27, 31, 127])
  expect(() => parseDetachKeys('ctrl-')).toThrow("Unknown character: 'ctrl-'")
})

test('the whole sequence detaches, in one piece or in two', () => {
  expect(filter().push(Buffer.from('ab\x10\x11cd'))).toEqual({ pass: Buffer.from('ab'), detached: true })
  const parts = filter()
  expect(parts.push(Buffer.from('\x10'))).toEqual({ pass: Buffer.from(''), detached: false })
  expect(parts.push(Buffer.from('\x11'))).toEqual({ pass: Buffer.from(''), detached: true })
})

test('what only begins like the sequence is passed on unchanged', () => {
  const keys = filter()
  expect(keys.push(Buffer.from('\x10x')).pass.toString()).toBe('\x10x')
  expect(keys.push(Buffer.from('\x10\x10')).pass.toString()).toBe('\x10')
  expect(keys.push(Buffer.from('\x11'))).toMatchObject({ detached: true })
})

function filter(): DetachFilter {
  return new DetachFilter(parseDetachKeys(defaultDetachKeys))
}
