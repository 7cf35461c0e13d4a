import { isIP } from 'node:net'
import { invalid } from '#base/errors.ts'

/** A port of the container that is probed without a program of the image. */
export type PortTarget = TcpTarget | HttpTarget

interface Place {
  /** Empty: loopback, then the container's own addresses; `localhost`: loopback only; else an address of the container. */
  readonly host: string
  readonly port: number
}

export interface TcpTarget extends Place {
  readonly kind: 'tcp'
}

export interface HttpTarget extends Place {
  readonly kind: 'http'
  /** What is sent, complete. */
  readonly request: string
}

const textLimit = 2048
const example = 'http://:8080/health'

/** Reads what follows `TCP`: a port, or host and port.   @throws `invalid` */
export function parseTcpTarget(words: readonly string[]): TcpTarget {
  const [text = '', ...others] = words
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(text)
  if (!match || others.length > 0) {
    throw invalid(`invalid TCP health check '${words.join(' ')}': it must be a port, as in '8080' or '127.0.0.1:8080'`)
  }
  const [, host = '', port = ''] = match
  return { kind: 'tcp', ...placeOf(host, port, text) }
}

/** Reads what follows `HTTP`: a URL, then headers (`Name: value`) to be sent.   @throws `invalid` */
export function parseHttpTarget([url = '', ...headers]: readonly string[]): HttpTarget {
  const match = /^http:\/\/(\[[^\]]*\]|[^/:?#@]*)(?::(\d{1,5}))?([/?].*)?$/i.exec(url)
  const [, host = '', port = '80', path = '/'] = match ?? []
  if (!match || url.length > textLimit || !/^[\x21-\x7e]*$/.test(path) || path.includes('#')) {
    throw invalid(
      `invalid HTTP health check '${url.slice(0, 200)}': it must be a URL of the container, as in '${example}'`,
    )
  }
  for (const header of headers) checkHeader(header)
  const place = placeOf(host, port, url)
  const names = headers.map((header) => header.split(':', 1)[0]?.toLowerCase())
  const own = [
    ['Host', `${host === '' ? 'localhost' : host}:${place.port}`],
    ['User-Agent', 'berth-healthcheck'],
    ['Accept', '*/*'],
  ].flatMap(([name = '', value]) => (names.includes(name.toLowerCase()) ? [] : [`${name}: ${value}`]))
  const head = [`GET ${path.startsWith('/') ? path : `/${path}`} HTTP/1.1`, ...own, ...headers, 'Connection: close']
  return { kind: 'http', ...place, request: `${head.join('\r\n')}\r\n\r\n` }
}

function placeOf(written: string, digits: string, text: string): Place {
  const host = written.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const port = Number(digits)
  if (port < 1 || port > 65_535) throw invalid(`invalid health check '${text}': ${digits} is no port`)
  // Names could lead anywhere; what is probed is this container.
  if (host !== '' && host !== 'localhost' && isIP(host) === 0) {
    throw invalid(
      `invalid health check '${text}': the host must be left out, 'localhost' or an address of the container`,
    )
  }
  return { host, port }
}

function checkHeader(header: string): void {
  const isHeader = /^[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e]*$/.test(header) && header.length <= textLimit
  if (isHeader && !/^(connection|content-length|transfer-encoding):/i.test(header)) return
  throw invalid(`invalid header of an HTTP health check: '${header.slice(0, 200)}'`)
}
