import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Operations } from '#contract/types.gen.ts'
import type { ApiVersion } from '#contract/versions.ts'
import type { Engine } from '#engine/engine.ts'
import type { Query } from './parse/query.ts'
import type { Reply } from './reply.ts'

export type OperationKey = keyof Operations

/** One request, as handlers see it. */
export interface Call<K extends OperationKey = OperationKey> {
  readonly version: ApiVersion
  readonly path: Readonly<Record<Operations[K]['path'], string>>
  readonly query: Query<Operations[K]['query']>
  readonly headers: IncomingHttpHeaders
  /** Aborted when the client has gone before the answer was complete. */
  readonly signal: AbortSignal
  /** The body as it comes; left unread, it is read to nowhere once the answer is there. */
  readonly input: Readable
  /** The whole JSON body, checked by `decode`; empty and absent bodies are `undefined`.   @throws `invalid`, `too-large` */
  body<T>(decode: (value: unknown) => T): Promise<T | undefined>
}

/** Parses, calls the engine once, presents. Throws BerthErrors; error-response.ts turns them into answers. */
export type Handler<K extends OperationKey = OperationKey> = (call: Call<K>, engine: Engine) => Promise<Reply> | Reply

export interface Route {
  readonly method: string
  readonly template: string
  readonly handle: (call: Call<never>, engine: Engine) => Promise<Reply> | Reply
}

/** Binds a handler to an operation of openapi.yaml. */
export function route<K extends OperationKey>(key: K, handle: Handler<K>): Route {
  const [method = '', template = ''] = key.split(' ')
  return { method, template, handle: handle as Route['handle'] }
}
