import { decode, encode, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet'

export const responseCodes = { success: 0, malformed: 1, failed: 2, unknownName: 3, refused: 5 } as const
export type ResponseCode = keyof typeof responseCodes

export type Record_ = { readonly type: 'A'; readonly data: string } | { readonly type: 'PTR'; readonly data: string }

/** One question of a resolver. */
export interface Query {
  readonly id: number
  /** As it was asked. */
  readonly name: string
  readonly type: string
  /** The largest answer that comes through without TCP. */
  readonly udpBytes: number
  readonly bytes: Buffer
}

const headerBytes = 12
const smallestAnswer = 512
const largestAnswer = 4096
/** Seconds for which a resolver may keep an answer, as Docker's. */
const timeToLive = 600

/** @returns undefined for what is no query of one question: there is nobody to answer */
export function parseQuery(bytes: Buffer): Query | undefined {
  if (bytes.length < headerBytes || bytes.length > largestAnswer) return undefined
  let packet: Packet
  try {
    packet = decode(bytes)
  } catch {
    return undefined
  }
  const [question, ...more] = packet.questions ?? []
  if (packet.type !== 'query' || !question || more.length > 0 || bytes.readUInt16BE(4) !== 1) return undefined
  const options = packet.additionals?.find((one) => one.type === 'OPT')
  const asked = options?.type === 'OPT' ? options.udpPayloadSize : smallestAnswer
  return {
    id: packet.id ?? 0,
    name: question.name,
    type: question.type,
    udpBytes: Math.min(Math.max(asked, smallestAnswer), largestAnswer),
    bytes,
  }
}

/** Our own answer.   @param limit bytes; what does not fit is left out and marked, so that the resolver asks by TCP */
export function answerTo(query: Query, code: ResponseCode, records: readonly Record_[], limit = 65_535): Buffer {
  const whole = render(query, code, records)
  if (whole.length <= limit) return whole
  return render(query, code, [], TRUNCATED_RESPONSE)
}

function render(query: Query, code: ResponseCode, records: readonly Record_[], flags = 0): Buffer {
  const packet: Packet = {
    type: 'response',
    id: query.id,
    flags: RECURSION_DESIRED | RECURSION_AVAILABLE | flags | responseCodes[code],
    questions: [{ type: query.type as 'A', name: query.name }],
    answers: records.map((record) => ({ ...record, name: query.name, ttl: timeToLive })),
  }
  return encode(packet)
}

/** Whether this is the answer to that question: same id, same question, byte by byte but for the case of letters. */
export function isAnswer(query: Query, answer: Buffer): boolean {
  if (answer.length < headerBytes || answer.readUInt16BE(0) !== query.bytes.readUInt16BE(0)) return false
  if ((answer.readUInt8(2) & 0x80) === 0) return false
  const end = endOfQuestion(query.bytes)
  const question = (bytes: Buffer): string => bytes.toString('latin1', headerBytes, end).toLowerCase()
  return answer.readUInt16BE(4) === 1 && question(answer) === question(query.bytes)
}

export function responseCodeOf(answer: Buffer): number {
  return answer.readUInt8(3) & 15
}

/** Just the header and the question, marked: the resolver asks again by TCP. */
export function truncated(query: Query, answer: Buffer): Buffer {
  const cut = Buffer.from(answer.subarray(0, endOfQuestion(query.bytes)))
  cut.writeUInt8(cut.readUInt8(2) | 2, 2)
  cut.fill(0, 6, headerBytes)
  return cut
}

function endOfQuestion(bytes: Buffer): number {
  let at = headerBytes
  while (at < bytes.length && bytes.readUInt8(at) !== 0) at += bytes.readUInt8(at) + 1
  return at + 5
}
