import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { BerthError, invalid, messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Engine } from '#engine/engine.ts'
import type { Connection } from './connection.ts'
import { toErrorAnswer } from './error-response.ts'
import { readJsonBody } from './parse/body.ts'
import { Query } from './parse/query.ts'
import type { Reply } from './reply.ts'
import type { Match, Router } from './router.ts'
import { refuseHijack, runHijack } from './streams/hijack.ts'
import { runWebSocket } from './streams/websocket.ts'
import { resolveVersion, splitVersion } from './version.ts'

export interface Surroundings {
  readonly engine: Engine
  readonly logger: Logger
  readonly router: Router
  readonly headers: Readonly<Record<string, string>>
}

/** Answers one request; never throws. */
export async function answerRequest(
  around: Surroundings,
  request: IncomingMessage,
  connection: Connection,
): Promise<void> {
  let response: ServerResponse | undefined
  const respond = () => {
    response ??= connection.respond()
    return response
  }
  try {
    await answer(around, request, { ...connection, respond })
  } catch (error) {
    answerError(around, respond(), error)
  }
}

async function answer(around: Surroundings, request: IncomingMessage, connection: Connection): Promise<void> {
  const { rawPath, search } = splitUrl(request.url ?? '/')
  const { path, asked } = splitVersion(decodePath(rawPath))
  around.logger.debug({ method: request.method, path: rawPath }, 'request')
  if (request.method === 'OPTIONS')
    return write(around, connection.respond(), { kind: 'empty', status: 200, headers: {} })
  const match = around.router.find(request.method ?? 'GET', path)
  if (!match) return answerUnknown(connection.respond(), rawPath, search)
  const version = resolveVersion(asked)
  const reply = await handle(around.engine, match, {
    version,
    query: new Query<never>(new URLSearchParams(search)),
    headers: request.headers,
    signal: connection.gone,
    input: request,
    body: async (decode) => {
      const value = await readJsonBody(request)
      return value === undefined ? undefined : decode(value)
    },
  })
  if (reply.kind === 'websocket') return await runWebSocket({ ...connection.take(), upgraded: true }, reply)
  if (reply.kind !== 'hijack' && reply.kind !== 'hijack-refusal') return write(around, connection.respond(), reply)
  const taken = { ...connection.take(), upgraded: connection.upgraded }
  if (reply.kind === 'hijack') return await runHijack(taken, reply, { version, headers: around.headers })
  const { status, message = '' } = toErrorAnswer(reply.error)
  tellOfFailure(around, status, reply.error)
  refuseHijack(taken, { status, text: message })
}

async function handle(
  engine: Engine,
  { route, path }: Match,
  call: Omit<Parameters<Match['route']['handle']>[0], 'path'>,
) {
  return route.handle({ ...call, path: path as never }, engine)
}

async function write(
  { headers }: Surroundings,
  response: ServerResponse,
  reply: Exclude<Reply, { kind: 'hijack' | 'hijack-refusal' | 'websocket' }>,
) {
  switch (reply.kind) {
    case 'json': {
      const text = `${JSON.stringify(reply.body)}\n`
      response.writeHead(reply.status, {
        ...headers,
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
      })
      response.end(text)
      return
    }
    case 'text':
      response.writeHead(reply.status, {
        ...headers,
        ...reply.headers,
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Length': Buffer.byteLength(reply.text),
      })
      response.end(reply.text)
      return
    case 'empty':
      response.writeHead(reply.status, {
        ...headers,
        ...reply.headers,
        ...(reply.status !== 204 && { 'Content-Length': 0 }),
      })
      response.end()
      return
    case 'stream':
      response.writeHead(200, { ...headers, ...reply.headers, 'Content-Type': reply.contentType })
      response.flushHeaders()
      await pipeline(reply.chunks, response)
  }
}

function answerError(around: Surroundings, response: ServerResponse, error: unknown): void {
  const { logger } = around
  if (response.headersSent || response.destroyed) {
    // Half an answer must not look like a whole one.
    logger.debug({ error: messageOf(error) }, 'an answer was cut off')
    response.destroy()
    return
  }
  const { status, message } = toErrorAnswer(error)
  tellOfFailure(around, status, error)
  const headers = errorHeaders(around, error)
  if (message === undefined) {
    response.writeHead(status, headers).end()
    return
  }
  const isPlain = hasCode(error, 'version-too-old')
  const text = isPlain ? `${message}\n` : `${JSON.stringify({ message })}\n`
  response.writeHead(status, {
    ...headers,
    'Content-Type': isPlain ? 'text/plain; charset=utf-8' : 'application/json',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}

function tellOfFailure({ logger }: Surroundings, status: number, error: unknown): void {
  if (status >= 500 && !isExpected(status)) logger.error({ status, error: describe(error) }, 'a request failed')
}

/** Docker refuses a version before it tells whether it is experimental, and clients before 1.24 knew no JSON errors. */
function errorHeaders({ headers }: Surroundings, error: unknown): Readonly<Record<string, string>> {
  if (!hasCode(error, 'version-too-old') && !hasCode(error, 'version-too-new')) return headers
  const { 'Docker-Experimental': _, ...others } = headers
  return others
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof BerthError && error.code === code
}

/** Told to the client alone: what is not there yet, and what never will be. */
function isExpected(status: number): boolean {
  return status === 501 || status === 503
}

/** Errors of ours are sentences; of others the place in the code is what helps. */
function describe(error: unknown): string {
  return error instanceof Error && !(error instanceof BerthError) ? (error.stack ?? error.message) : messageOf(error)
}

/** Docker answers unknown paths and methods alike, without its own headers; paths that are not clean are redirected. */
function answerUnknown(response: ServerResponse, rawPath: string, search: string): void {
  if (rawPath.includes('//')) {
    const clean = rawPath.replaceAll(/\/{2,}/g, '/')
    response.writeHead(301, { Location: `${clean}${search === '' ? '' : `?${search}`}`, 'Content-Length': 0 }).end()
    return
  }
  const text = `${JSON.stringify({ message: 'page not found' })}\n`
  response.writeHead(404, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text)
}

function splitUrl(url: string): { rawPath: string; search: string } {
  const at = url.indexOf('?')
  return at < 0 ? { rawPath: url, search: '' } : { rawPath: url.slice(0, at), search: url.slice(at + 1) }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    throw invalid(`the path ${path.slice(0, 200)} is not properly escaped`, { cause: error })
  }
}
