import type { FuzzRequest } from './request.ts'
import type { FuzzAnswer } from './wire.ts'

interface Expected {
  readonly about: RegExp
  readonly status: number
  readonly text: RegExp
}

const registries = /^(POST \/auth|GET \/images\/search|GET \/distribution|POST \/images\/create)/

/** Answers of 500 and more that dockerd gives as well, in these words, and what is said to be not served. */
export const expected: readonly Expected[] = [
  { about: registries, status: 500, text: /(dial tcp|unsupported protocol scheme|no Host in request URL)/ },
  { about: /^GET \/distribution/, status: 500, text: /no manifest found for full image ID/ },
  {
    about: /^GET \/images\/(get|\{name\}\/get)/,
    status: 500,
    text: /invalid reference format|repository name must not/,
  },
  { about: /\/archive$/, status: 500, text: /not a directory|^$/ },
  { about: /\/top$/, status: 500, text: /Couldn't find PID field in ps output|^."message":"ps: / },
  { about: /\/disconnect$/, status: 500, text: /is not connected to (the )?network/ },
  { about: /^(POST \/build|POST \/session|POST \/grpc|an upgrade)/, status: 501, text: /Berth does not do this yet/ },
  { about: /\/(connect|start)$/, status: 500, text: /address not available/ },
  { about: /create$/, status: 501, text: /not supported|does not/ },
  { about: /\/start$/, status: 501, text: /checkpoints are not supported/ },
  { about: /\/volumes/, status: 503, text: /volume update only valid for cluster volumes, but swarm is unavailable/ },
]

/** What waits for something to happen: an answer may be long in coming. */
const waits =
  /^(POST \/containers\/\{id\}\/(stop|restart|wait|attach)|GET \/events|GET \/containers\/\{id\}\/(stats|logs|attach\/ws)|POST \/exec)/

/** How long to wait for the head of the answer, and what it is if none comes. */
export function patienceFor({ about, framing }: FuzzRequest): { readonly ms: number; readonly mayBeLate: boolean } {
  // A body or head that never ends is waited for.
  const isUnfinished = framing === 'garbage' || !/^[A-Z]+ \//.test(about)
  return waits.test(about) || isUnfinished ? { ms: 400, mayBeLate: true } : { ms: 60_000, mayBeLate: false }
}

/** What is wrong with an answer; undefined: nothing.   @param mayBeLate no answer is one */
export function faultOf(request: FuzzRequest, answer: FuzzAnswer, mayBeLate: boolean): string | undefined {
  const { status, body } = answer
  if (answer.isLate) return mayBeLate ? undefined : 'no answer'
  if (status === undefined)
    return isWhole(request) && !answer.isBroken ? 'the connection ended without an answer' : undefined
  if (status >= 500 || status === 499) return isExpected(request, answer) ? undefined : `${status} ${body.trim()}`
  if (status >= 400 && !isErrorBody(request, answer)) return `${status} without a message: ${body}`
  return undefined
}

/** Its bytes are those of a request. */
function isWhole({ about, framing }: FuzzRequest): boolean {
  return /^[A-Z]+ \//.test(about) && (framing === 'length' || framing === 'chunked')
}

function isExpected({ about }: FuzzRequest, { status, body }: FuzzAnswer): boolean {
  return expected.some((one) => one.status === status && one.about.test(about) && one.text.test(body))
}

/** node:http refuses what it cannot parse in plain text; what takes the connection over tells in the stream, as with dockerd. */
function isErrorBody({ head }: FuzzRequest, { status, type, body }: FuzzAnswer): boolean {
  // Go answers an unknown wish in `Expect` without a body, too.
  if (head[0]?.startsWith('HEAD ') || status === 417) return true
  if (/^(text\/plain|application\/vnd\.docker\.raw-stream)/.test(type)) return body !== ''
  try {
    const { message } = JSON.parse(body) as { message?: unknown }
    return typeof message === 'string' && message !== ''
  } catch {
    return false
  }
}
