import { describe, expect, test } from 'vitest'
import { mayHijack } from '#api/streams/early-input.ts'
import { formatBar, toJsonLines, toMessage } from '#api/streams/json-progress.ts'
import { frame } from '#api/streams/multiplex.ts'
import type { PullProgress } from '#images/transfer/progress.ts'

test('a frame is number, three zeros, length in big endian, payload', () => {
  expect(frame('stderr', Buffer.from('hi')).toString('hex')).toBe('02000000000000026869')
  expect(frame('stdout', new Uint8Array(0x1_0203)).subarray(0, 8).toString('hex')).toBe('0100000000010203')
})

test('only attach and exec start may take a connection over', () => {
  expect(mayHijack('POST', '/v1.51/containers/c1/attach?stream=1')).toBe(true)
  expect(mayHijack('POST', '/exec/e1/start')).toBe(true)
  for (const [method, url] of [
    ['GET', '/containers/c1/attach'],
    ['POST', '/containers/c1/attach/ws'],
    ['POST', '/containers/create'],
    ['POST', '/session'],
  ]) {
    expect(mayHijack(method, url)).toBe(false)
  }
})

describe('progress', () => {
  test.each([
    [1_200_000, 3_400_000, '[=================>                                 ]    1.2MB/3.4MB'],
    [0, 100, '[>                                                  ]       0B/100B'],
    [100, 100, '[==================================================>]     100B/100B'],
    [200, 100, '[==================================================>]     200B'],
    [1000, 0, '     1kB'],
    [0, 0, ''],
  ])('of %i in %i is drawn as Docker draws it', (current, total, bar) => {
    expect(formatBar(current, total)).toBe(bar)
  })

  test('lines of a layer carry progressDetail, those of the whole pull do not', () => {
    expect(toMessage({ status: 'Pulling from library/busybox', id: 'latest' })).toEqual({
      status: 'Pulling from library/busybox',
      id: 'latest',
    })
    expect(toMessage({ status: 'Pull complete', id: '0123456789ab' })).toEqual({
      status: 'Pull complete',
      progressDetail: {},
      id: '0123456789ab',
    })
    expect(toMessage({ status: 'Digest: sha256:x' })).toEqual({ status: 'Digest: sha256:x' })
  })

  test('an error after the first byte is the last line', async () => {
    async function* failing(): AsyncGenerator<PullProgress> {
      yield { status: 'Pulling from x', id: 'latest' }
      throw new Error('the disk is full')
    }
    const lines = await Array.fromAsync(toJsonLines(failing()))
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { status: 'Pulling from x', id: 'latest' },
      { errorDetail: { message: 'the disk is full' }, error: 'the disk is full' },
    ])
  })
})
