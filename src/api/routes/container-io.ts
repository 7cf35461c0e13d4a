import type { IncomingHttpHeaders } from 'node:http'
import { systemClock } from '#base/clock.ts'
import { invalid, isKind, messageOf } from '#base/errors.ts'
import type { ContainerWait } from '#contract/types.gen.ts'
import { since } from '#contract/versions.ts'
import type { WaitCondition } from '#engine/engine.ts'
import { type Route, route } from '../call.ts'
import { parseSize } from '../parse/terminal-size.ts'
import { parseTimeParameter } from '../parse/time.ts'
import { formatDetails, presentLog } from '../present/log.ts'
import { empty, hijack, stream } from '../reply.ts'
import { multiplexedStreamType, rawStreamType } from '../streams/hijack.ts'

export const containerIoRoutes: readonly Route[] = [
  route('POST /containers/{id}/wait', async ({ path, query, signal }, engine) => {
    const condition = toCondition(query.text('condition'))
    // Headers leave when this returns: clients start the container only then, so the wait is already in place.
    const { exit } = await engine.containers.wait(path.id, condition, signal)
    return stream('application/json', presentExit(exit))
  }),

  route('POST /containers/{id}/attach', async ({ path, query, signal }, engine) => {
    const stdin = query.boolean('stdin')
    try {
      const { tty } = engine.containers.get(path.id).config
      const attached = await engine.containers.attach(
        path.id,
        { stdin, stdout: query.boolean('stdout'), stderr: query.boolean('stderr'), framed: !tty },
        {
          detachKeys: query.text('detachKeys') ?? '',
          logs: query.boolean('logs'),
          stream: query.boolean('stream'),
        },
      )
      if (signal.aborted) attached.stream.destroy()
      return hijack(async () => attached.stream, { framed: !attached.tty, stdin, named: false })
    } catch (error) {
      return { kind: 'hijack-refusal', error }
    }
  }),

  route('GET /containers/{id}/attach/ws', async ({ path, query, headers, version, signal }, engine) => {
    engine.containers.get(path.id)
    const key = parseHandshake(headers)
    const all = version < since.webSocketStreams
    const stdin = all || query.boolean('stdin')
    const attached = await engine.containers.attach(
      path.id,
      { stdin, stdout: all || query.boolean('stdout'), stderr: all || query.boolean('stderr'), framed: false },
      {
        detachKeys: query.text('detachKeys') ?? '',
        logs: query.boolean('logs'),
        stream: query.boolean('stream'),
      },
    )
    if (signal.aborted) attached.stream.destroy()
    return { kind: 'websocket', key, text: version < since.binaryWebSocket, stdin, open: async () => attached.stream }
  }),

  route('GET /containers/{id}/logs', async ({ path, query, version, signal }, engine) => {
    const [stdout, stderr] = [query.boolean('stdout'), query.boolean('stderr')]
    if (!stdout && !stderr) throw invalid('Bad parameters: you must choose at least one stream')
    const now = systemClock.nowNanos()
    const { tty } = engine.containers.get(path.id).config
    const entries = await engine.containers.logs(
      path.id,
      {
        stdout,
        stderr,
        follow: query.boolean('follow'),
        tail: toTail(query.text('tail')),
        since: orNone(parseTimeParameter(query.text('since'), now)),
        until: orNone(parseTimeParameter(query.text('until'), now)),
      },
      signal,
    )
    const details = query.boolean('details') ? formatDetails(engine.containers.logDetails(path.id)) : undefined
    const type = !tty && version >= since.multiplexedType ? multiplexedStreamType : rawStreamType
    return stream(type, presentLog(entries, { framed: !tty, timestamps: query.boolean('timestamps'), details }))
  }),

  route('POST /containers/{id}/resize', async ({ path, query }, engine) => {
    const { rows, columns } = parseSize(query.text('h'), query.text('w'))
    await engine.containers.resize(path.id, rows, columns)
    return empty(200)
  }),
]

/** @returns the client's key   @throws `invalid` for a request that is no handshake of RFC 6455 */
function parseHandshake(headers: IncomingHttpHeaders): string {
  const key = headers['sec-websocket-key']
  const isHandshake = headers.upgrade?.toLowerCase() === 'websocket' && headers['sec-websocket-version'] === '13'
  if (!isHandshake || key === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    throw invalid('attach/ws takes the handshake of a WebSocket, version 13')
  }
  return key
}

async function* presentExit(exit: Promise<{ code: number; error: string | undefined }>): AsyncGenerator<string> {
  let answer: ContainerWait
  try {
    const { code, error } = await exit
    answer = { StatusCode: code, ...(error !== undefined && { Error: { Message: error } }) }
  } catch (error) {
    if (isKind(error, 'cancelled')) return
    answer = { StatusCode: -1, Error: { Message: messageOf(error) } }
  }
  yield `${JSON.stringify(answer)}\n`
}

function toCondition(text = 'not-running'): WaitCondition {
  const conditions = ['not-running', 'next-exit', 'removed'] as const
  const condition = conditions.find((one) => one === text)
  if (!condition) throw invalid(`invalid condition: ${JSON.stringify(text)}`)
  return condition
}

/** `all`, nothing, negative numbers and what is no number mean all lines. */
function toTail(text: string | undefined): number | undefined {
  return text !== undefined && /^\+?\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Clients send 0 for "no limit". */
function orNone(time: bigint | undefined): bigint | undefined {
  return time === 0n ? undefined : time
}
