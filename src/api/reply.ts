import type { OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'

/** What a handler answers; server.ts writes it. */
export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'text'; readonly status: number; readonly text: string; readonly headers: OutgoingHttpHeaders }
  | { readonly kind: 'empty'; readonly status: number; readonly headers: OutgoingHttpHeaders }
  | {
      readonly kind: 'stream'
      readonly contentType: string
      readonly chunks: AsyncIterable<Uint8Array | string>
      readonly headers: OutgoingHttpHeaders
    }
  | Hijack
  | WebSocketReply
  | HijackRefusal

/** The connection becomes the streams of a process. */
export interface Hijack {
  readonly kind: 'hijack'
  /** The output comes in frames, not raw. */
  readonly framed: boolean
  /** What the client sends goes to the process; else it is dropped. */
  readonly stdin: boolean
  /** The head has the headers of all answers; Docker's exec has them, its attach has not. */
  readonly named: boolean
  /**
   * Called when the client has the answer's head; undefined when nothing is attached. A failure is told in the stream.
   */
  open(): Promise<Duplex | undefined>
}

/** There is no process whose streams the connection could become. */
export interface HijackRefusal {
  readonly kind: 'hijack-refusal'
  readonly error: unknown
}

/** The connection becomes the streams of a process, in messages of a WebSocket. */
export interface WebSocketReply {
  readonly kind: 'websocket'
  /** `Sec-WebSocket-Key` */
  readonly key: string
  /** Messages are of text, whatever is in them: what clients of long ago expect. */
  readonly text: boolean
  readonly stdin: boolean
  open: Hijack['open']
}

export function json(body: unknown, status = 200): Reply {
  return { kind: 'json', status, body }
}

export function created(body: unknown): Reply {
  return json(body, 201)
}

export function empty(status: 200 | 201 | 204, headers: OutgoingHttpHeaders = {}): Reply {
  return { kind: 'empty', status, headers }
}

/** Headers go out at once, then the chunks as they come. */
export function stream(
  contentType: string,
  chunks: AsyncIterable<Uint8Array | string>,
  headers: OutgoingHttpHeaders = {},
): Reply {
  return { kind: 'stream', contentType, chunks, headers }
}

export function hijack(open: Hijack['open'], options: Pick<Hijack, 'framed' | 'stdin' | 'named'>): Hijack {
  return { kind: 'hijack', ...options, open }
}
