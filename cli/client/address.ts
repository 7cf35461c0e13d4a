import { invalid } from '#base/errors.ts'

/** Where the engine listens, as `-H` and DOCKER_HOST name it. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string; readonly text: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly text: string }

/** @throws `invalid` for schemes that this client does not speak */
export function parseAddress(text: string): Address {
  const match = /^([a-z]+):\/\/(.*)$/.exec(text)
  if (!match) throw invalid(`unable to parse docker host \`${text}\``)
  const [, scheme, rest = ''] = match
  if (scheme === 'unix') {
    if (rest === '') throw invalid(`unable to parse docker host \`${text}\`: the path of the socket is missing`)
    return { kind: 'unix', path: rest, text }
  }
  if (scheme === 'tcp' || scheme === 'http') return parseTcp(rest, text)
  throw invalid(`unable to use docker host \`${text}\`: ${scheme}:// is not supported; use unix:// or tcp://`)
}

function parseTcp(rest: string, text: string): Address {
  const match = /^(\[[0-9a-f:.%]+\]|[^:/]*)(?::(\d+))?\/?$/i.exec(rest)
  const port = Number(match?.[2] ?? '2375')
  if (!match || port > 65535) throw invalid(`unable to parse docker host \`${text}\``)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1'
  return { kind: 'tcp', host, port, text }
}
