/**
 * The frames between daemon and shim: the twin of protocol.h, in the same order; bytes pinned in test/golden/shim.
 * Pure: bytes in, values out. protocol.h says what each frame means.
 */
import { dataLoss } from '#base/errors.ts'
import { WireReader, WireWriter } from './wire.ts'

export const protocolMin = 1
export const protocolMax = 1
export const payloadMax = 65_536
export const headerSize = 16

const requestTypes = {
  hello: 1,
  prepare: 2,
  create: 3,
  start: 4,
  kill: 5,
  resize: 6,
  closeStdin: 7,
  attach: 8,
  pause: 9,
  resume: 10,
  state: 11,
  reopenLog: 12,
  ack: 13,
  shutdown: 14,
  addLink: 15,
  removeLink: 16,
  setGateway: 17,
  openDns: 18,
  publish: 19,
  withdraw: 20,
} as const

/** `task` is '' for the container's init and the exec's id otherwise. */
export type Request =
  | { readonly type: 'hello'; readonly protocolMin: number; readonly protocolMax: number }
  | { readonly type: 'prepare'; readonly withNetns: boolean }
  | { readonly type: 'create' | 'start' | 'closeStdin'; readonly task: string }
  | { readonly type: 'kill'; readonly task: string; readonly signal: number; readonly all: boolean }
  | { readonly type: 'resize'; readonly task: string; readonly rows: number; readonly columns: number }
  | { readonly type: 'attach'; readonly task: string; readonly flags: number }
  | { readonly type: 'pause' | 'resume' | 'state' | 'reopenLog' | 'shutdown' | 'openDns' }
  | { readonly type: 'ack'; readonly serial: bigint }
  | ({ readonly type: 'addLink' } & LinkRequest)
  | { readonly type: 'removeLink'; readonly hostLink: string }
  | { readonly type: 'setGateway'; readonly gateway: string; readonly link: string }
  | ({ readonly type: 'publish'; readonly address: string; readonly port: number } & HostPort)
  | ({ readonly type: 'withdraw' } & HostPort)

export interface HostPort {
  readonly protocol: 'tcp' | 'udp'
  /** Empty: every address, of both families. */
  readonly hostAddress: string
  readonly hostPort: number
}

const protocolNumbers = { tcp: 6, udp: 17 } as const

/** A pair of links: one end on a bridge of the host, the other in the sandbox. */
export interface LinkRequest {
  readonly hostLink: string
  readonly bridge: string
  readonly link: string
  /** Six bytes in hexadecimal, with colons. */
  readonly mac: string
  readonly mtu: number
  /** With prefix length. */
  readonly address: string
  /** Empty: no default route. */
  readonly gateway: string
}

export const attachFlags = { stdin: 1, stdout: 2, stderr: 4, framed: 8 } as const

const shimStates = ['empty', 'created', 'running', 'stopped'] as const
export type ShimState = (typeof shimStates)[number]

export const answerTypes = { result: 0x100, exit: 0x101, oom: 0x102 } as const

export interface Frame {
  readonly type: number
  readonly id: bigint
  readonly payload: Buffer
}

export interface StateAnswer {
  readonly state: ShimState
  /** 0 in state empty. */
  readonly initPid: number
  /** Nanoseconds since 1970; 0 before START. */
  readonly startedAt: bigint
  readonly paused: boolean
  /** The execs alive. */
  readonly execs: readonly { readonly task: string; readonly pid: number }[]
}

export interface HelloAnswer extends StateAnswer {
  readonly protocol: number
  readonly planMin: number
  readonly planMax: number
}

export interface ExitEvent {
  readonly type: 'exit'
  readonly serial: bigint
  readonly task: string
  /** 128 + signal when killed. */
  readonly code: number
  /** 0: exited by itself. */
  readonly signal: number
  readonly oomKilled: boolean
  /** Nanoseconds since 1970. */
  readonly finishedAt: bigint
}

export interface OomEvent {
  readonly type: 'oom'
  readonly serial: bigint
}

export type ShimEvent = ExitEvent | OomEvent

function encodeFrame(type: number, id: bigint, payload: Buffer): Buffer {
  const header = Buffer.alloc(headerSize)
  header.writeUInt32LE(payload.length, 0)
  header.writeUInt16LE(type, 4)
  header.writeBigUInt64LE(id, 8)
  return Buffer.concat([header, payload])
}

/** @param id not 0; the RESULT repeats it. */
export function encodeRequest(id: bigint, request: Request): Buffer {
  return encodeFrame(requestTypes[request.type], id, requestPayload(request))
}

function requestPayload(request: Request): Buffer {
  const wire = new WireWriter()
  switch (request.type) {
    case 'hello':
      return wire.u16(request.protocolMin).u16(request.protocolMax).bytes()
    case 'prepare':
      return wire.u8(Number(request.withNetns)).bytes()
    case 'create':
    case 'start':
    case 'closeStdin':
      return wire.string(request.task).bytes()
    case 'kill':
      return wire.string(request.task).u32(request.signal).u8(Number(request.all)).bytes()
    case 'resize':
      return wire.string(request.task).u16(request.rows).u16(request.columns).bytes()
    case 'attach':
      return wire.string(request.task).u8(request.flags).bytes()
    case 'ack':
      return wire.u64(request.serial).bytes()
    case 'addLink':
      return linkPayload(wire, request)
    case 'removeLink':
      return wire.string(request.hostLink).bytes()
    case 'setGateway':
      return wire.string(request.gateway).string(request.link).bytes()
    case 'publish':
      return hostPort(wire, request).string(request.address).u16(request.port).bytes()
    case 'withdraw':
      return hostPort(wire, request).bytes()
    case 'pause':
    case 'resume':
    case 'state':
    case 'reopenLog':
    case 'openDns':
    case 'shutdown':
      return wire.bytes()
    default:
      return request satisfies never
  }
}

function hostPort(wire: WireWriter, { protocol, hostAddress, hostPort }: HostPort): WireWriter {
  return wire.u8(protocolNumbers[protocol]).string(hostAddress).u16(hostPort)
}

function linkPayload(wire: WireWriter, { hostLink, bridge, link, mac, mtu, address, gateway }: LinkRequest): Buffer {
  wire.string(hostLink).string(bridge).string(link)
  for (const byte of mac.split(':')) wire.u8(Number.parseInt(byte, 16))
  return wire.u32(mtu).string(address).string(gateway).bytes()
}

export type Result =
  | { readonly ok: true; readonly fields: WireReader }
  | { readonly ok: false; readonly errno: number; readonly text: string }

/** @param payload of a RESULT frame. */
export function decodeResult(payload: Buffer): Result {
  const fields = new WireReader(payload)
  const errno = fields.i32()
  return errno === 0 ? { ok: true, fields } : { ok: false, errno, text: fields.string() }
}

export function decodeState(fields: WireReader): StateAnswer {
  const state = shimStates[fields.u8()]
  if (state === undefined) throw dataLoss('the shim reports a state that this version does not know')
  const initPid = fields.i32()
  const startedAt = fields.u64()
  const paused = fields.u8() !== 0
  const execs = Array.from({ length: fields.u16() }, () => ({ task: fields.string(), pid: fields.i32() }))
  return { state, initPid, startedAt, paused, execs }
}

export function decodeHello(fields: WireReader): HelloAnswer {
  const [protocol, planMin, planMax] = [fields.u16(), fields.u16(), fields.u16()]
  return { protocol, planMin, planMax, ...decodeState(fields) }
}

/** @returns undefined for an event of a newer shim that this version does not know. */
export function decodeEvent(frame: Frame): ShimEvent | undefined {
  if (frame.type === answerTypes.oom) return { type: 'oom', serial: frame.id }
  if (frame.type !== answerTypes.exit) return undefined
  const fields = new WireReader(frame.payload)
  return {
    type: 'exit',
    serial: frame.id,
    task: fields.string(),
    code: fields.i32(),
    signal: fields.i32(),
    oomKilled: fields.u8() !== 0,
    finishedAt: fields.u64(),
  }
}

/** Cuts a stream of bytes into frames; holds at most one unfinished frame. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0)

  /** @throws `data-loss` when a frame announces more than `payloadMax` bytes: the connection is beyond repair. */
  push(chunk: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const frames: Frame[] = []
    while (this.#pending.length >= headerSize) {
      const size = this.#pending.readUInt32LE(0)
      if (size > payloadMax) throw dataLoss(`a shim frame of ${size} bytes exceeds ${payloadMax}`)
      if (this.#pending.length < headerSize + size) break
      frames.push({
        type: this.#pending.readUInt16LE(4),
        id: this.#pending.readBigUInt64LE(8),
        payload: this.#pending.subarray(headerSize, headerSize + size),
      })
      this.#pending = this.#pending.subarray(headerSize + size)
    }
    return frames
  }
}
