import { invalid } from '#base/errors.ts'
import type { Endpoint, TlsMaterial } from './endpoint.ts'

/** Where the engine listens and how it is reached, ready to connect. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string; readonly text: string }
  | TcpAddress
  | { readonly kind: 'ssh'; readonly spec: SshSpec; readonly text: string }

export interface TcpAddress {
  readonly kind: 'tcp'
  readonly host: string
  readonly port: number
  /** In front of every path of the API: an engine behind a proxy. */
  readonly prefix: string
  readonly tls?: TlsTrust
  readonly text: string
}

export interface TlsTrust extends TlsMaterial {
  /** The server's certificate is not looked at. */
  readonly skipVerify: boolean
}

export interface SshSpec {
  /** Empty: ssh decides. */
  readonly user: string
  readonly host: string
  /** Empty: ssh decides. */
  readonly port: string
  /** Of the engine's socket over there; empty: the default. */
  readonly path: string
}

/** @throws `invalid`, in docker's words, for what cannot be connected to */
export function toAddress({ host: text, skipTlsVerify, tls }: Endpoint): Address {
  const [scheme, rest] = cutScheme(text) ?? ['', '']
  switch (scheme) {
    case 'unix':
      if (rest !== '') return { kind: 'unix', path: rest, text }
      break
    case 'ssh':
      return { kind: 'ssh', spec: parseSsh(text), text }
    case 'tcp':
    case 'http':
      return parseTcp(rest, text, tls || skipTlsVerify ? { ...tls, skipVerify: skipTlsVerify } : undefined)
    case 'npipe':
      throw invalid('protocol not available')
  }
  throw invalid(`unable to parse docker host \`${text}\``)
}

function parseTcp(rest: string, text: string, tls: TlsTrust | undefined): TcpAddress {
  const match = /^(\[[0-9a-f:.%]+\]|[^:/?#]*)(?::(\d*))?(\/[^?#]*)?(?:[?#].*)?$/i.exec(rest)
  if (!match) throw invalid(`unable to parse docker host \`${text}\``)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '') || 'localhost'
  const port = Number(match[2] || (tls ? 443 : 80))
  const prefix = (match[3] ?? '').replace(/\/+$/, '')
  return { kind: 'tcp', host, port, prefix, ...(tls && { tls }), text }
}

function parseSsh(text: string): SshSpec {
  const wrong = (why: string) => invalid(`ssh host connection is not valid: invalid SSH URL: ${why}`)
  const match = /^ssh:\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)
  if (!match) throw wrong(`${JSON.stringify(text)} is not ssh://[user@]host[:port][/path]`)
  const [, login = '', name = '', port = '', path = '', query = '', fragment = ''] = match
  if (login.includes(':')) throw wrong('plain-text password is not supported')
  const host = name.replace(/^\[|\]$/g, '')
  if (host === '') throw wrong('hostname is empty')
  if (query !== '') throw wrong(`query parameters are not allowed: ${JSON.stringify(query)}`)
  if (fragment !== '') throw wrong(`fragments are not allowed: ${JSON.stringify(fragment)}`)
  return { user: decodeURIComponent(login), host, port, path: /[^/]/.test(path) ? path : '' }
}

/** What `-H` and DOCKER_HOST say, in full: schemes, hosts and ports that were left out are docker's.   @throws `invalid` */
export function completeHost(given: string, standard: string): string {
  const text = given.trim()
  if (text === '') return standard
  const [scheme, rest] = cutScheme(text) ?? [/^\.?\//.test(text) ? 'unix' : 'tcp', text]
  switch (scheme) {
    case 'unix':
      return rest === '' ? standard : `unix://${rest}`
    case 'npipe':
      return `npipe://${rest || '//./pipe/docker_engine'}`
    case 'fd':
    case 'ssh':
      return text
    case 'tcp':
      return completeTcp(rest, text)
    default:
      throw invalid(`invalid bind address format: ${text}`)
  }
}

function completeTcp(rest: string, text: string): string {
  const match = /^(\[[0-9a-f:.%]+\]|[^:/?#[\]]*)(?::(\d*))?(\/[^?#]*)?(?:[?#].*)?$/i.exec(rest)
  if (!match) throw invalid(`invalid bind address format: ${text}`)
  return `tcp://${match[1] || 'localhost'}:${match[2] || '2375'}${match[3] ?? ''}`
}

function cutScheme(text: string): [string, string] | undefined {
  const at = text.indexOf('://')
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + 3)]
}
