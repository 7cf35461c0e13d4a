import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import {
  answerTypes,
  attachFlags,
  decodeEvent,
  decodeResult,
  decodeState,
  encodeRequest,
  type Frame,
  FrameReader,
  headerSize,
  payloadMax,
  type Request,
} from '#shim/protocol.ts'

const id = 0x0123456789abcdefn
const nanos = 1_795_320_306_123_456_789n

const requests: Readonly<Record<string, Request>> = {
  hello: { type: 'hello', protocolMin: 1, protocolMax: 0x0203 },
  prepare: { type: 'prepare', withNetns: true },
  create: { type: 'create', task: 'exec-1' },
  start: { type: 'start', task: 'exec-1' },
  kill: { type: 'kill', task: '', signal: 15, all: true },
  resize: { type: 'resize', task: 'exec-1', rows: 24, columns: 300 },
  closeStdin: { type: 'closeStdin', task: 'exec-1' },
  attach: { type: 'attach', task: '', flags: attachFlags.stdout | attachFlags.stderr | attachFlags.framed },
  pause: { type: 'pause' },
  resume: { type: 'resume' },
  state: { type: 'state' },
  reopenLog: { type: 'reopenLog' },
  ack: { type: 'ack', serial: 0xfedcba9876543210n },
  shutdown: { type: 'shutdown' },
  addLink: {
    type: 'addLink',
    hostLink: 'bth1',
    bridge: 'br0',
    link: 'eth1',
    mac: '02:42:ac:12:00:ff',
    mtu: 1450,
    address: '172.18.0.2/16',
    gateway: '172.18.0.1',
  },
  removeLink: { type: 'removeLink', hostLink: 'bth1' },
  openDns: { type: 'openDns' },
  publish: {
    type: 'publish',
    protocol: 'udp',
    hostAddress: '127.0.0.1',
    hostPort: 8053,
    address: '172.18.0.2',
    port: 53,
  },
  withdraw: { type: 'withdraw', protocol: 'tcp', hostAddress: '', hostPort: 8080 },
  setGateway: { type: 'setGateway', gateway: '172.18.0.1', link: 'eth1' },
}

test.each(Object.entries(requests))('the request %s has its recorded bytes', async (name, request) => {
  expect(encodeRequest(id, request).toString('hex')).toBe((await golden('requests')).get(name))
})

test('every recorded request is one that we send', async () => {
  expect([...(await golden('requests')).keys()]).toEqual(Object.keys(requests))
})

test('an error keeps errno and text', async () => {
  expect(decodeResult((await answer('error')).payload)).toEqual({
    ok: false,
    errno: 2,
    text: 'exec: "nö": executable file not found in $PATH',
  })
})

test('a state lists the execs alive', async () => {
  const result = decodeResult((await answer('state')).payload)
  if (!result.ok) throw new Error('the recorded state is an error')
  expect(decodeState(result.fields)).toEqual({
    state: 'running',
    initPid: 4711,
    startedAt: nanos,
    paused: true,
    execs: [
      { task: 'exec-1', pid: 4712 },
      { task: 'exec-2', pid: 4713 },
    ],
  })
})

test('an exit tells task, code, signal, lack of memory and time', async () => {
  const exit = { task: 'exec-1', code: 137, signal: 9, oomKilled: true, finishedAt: nanos }
  expect(decodeEvent(await answer('exit'))).toEqual({ type: 'exit', serial: 7n, ...exit })
})

test('an event of a newer shim is passed over', async () => {
  expect(decodeEvent(await answer('oom'))).toEqual({ type: 'oom', serial: 8n })
  expect(decodeEvent({ type: 0x1ff, id: 9n, payload: Buffer.alloc(0) })).toBeUndefined()
})

test('a payload that ends inside a field is refused', async () => {
  const { payload } = await answer('exit')
  const cut: Frame = { type: answerTypes.exit, id: 1n, payload: payload.subarray(0, payload.length - 1) }
  expect(() => decodeEvent(cut)).toThrow(/ends inside the field/)
})

test('frames are found however the stream is cut', async () => {
  const all = [...(await golden('answers')).values()].map((hex) => Buffer.from(hex, 'hex'))
  const stream = Buffer.concat(all)
  for (const step of [1, 3, 17, stream.length]) {
    const reader = new FrameReader()
    const sizes: number[] = []
    for (let at = 0; at < stream.length; at += step) {
      for (const frame of reader.push(stream.subarray(at, at + step))) sizes.push(headerSize + frame.payload.length)
    }
    expect(sizes).toEqual(all.map((frame) => frame.length))
  }
})

test('a frame beyond the limit ends the connection before it is read', () => {
  const header = Buffer.alloc(headerSize)
  header.writeUInt32LE(payloadMax + 1)
  expect(() => new FrameReader().push(header)).toThrow(/exceeds/)
})

test('a text too long for a frame is refused', () => {
  expect(() => encodeRequest(1n, { type: 'start', task: 'x'.repeat(65_536) })).toThrow(/does not fit/)
})

async function golden(name: string): Promise<Map<string, string>> {
  const text = await readFile(new URL(`../../golden/shim/${name}.hex`, import.meta.url), 'utf8')
  const lines = text.trim().split('\n')
  return new Map(lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']))
}

async function answer(name: string): Promise<Frame> {
  const frames = new FrameReader().push(Buffer.from((await golden('answers')).get(name) ?? '', 'hex'))
  return frames[0] as Frame
}
