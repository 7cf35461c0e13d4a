import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TokenAuth } from './registry.ts'
import { tempDirectory } from './temp.ts'
import { makeCertificate, type TestCertificate } from './tls.ts'

export interface TokenRequestSeen {
  readonly method: string
  /** Of the query or the form, without secrets. */
  readonly parameters: Readonly<Record<string, string>>
  /** Who asked: by password, by a token that lasts, or nobody. */
  readonly as: 'password' | 'refresh-token' | 'nobody' | 'stranger'
}

export interface TokenServer extends AsyncDisposable {
  readonly requests: readonly TokenRequestSeen[]
  /** For a registry that is to send people here. */
  readonly auth: TokenAuth
}

const basic = `Basic ${Buffer.from('user:secret').toString('base64')}`
const lasting = 'a-token-that-lasts'

/**
 * A token server of the distribution project's kind: `user:secret` may do everything, and gets a token that lasts when asking for one;
 * nobody may pull what is below `public/`.   @see distribution-spec: token authentication, and its JWT form
 */
export async function startTokenServer(): Promise<TokenServer> {
  await using undo = new AsyncDisposableStack()
  const directory = undo.use(await tempDirectory())
  const certificate = await makeCertificate(directory.path)
  const requests: TokenRequestSeen[] = []
  const server = createServer((request, response) => void answer(request, response, { certificate, requests }))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.defer(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const resources = undo.move()
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  return {
    requests,
    auth: { realm, service: 'tests', issuer: 'tests', rootcertbundle: certificate.certFile },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

interface Office {
  readonly certificate: TestCertificate
  readonly requests: TokenRequestSeen[]
}

async function answer(request: IncomingMessage, response: ServerResponse, { certificate, requests }: Office) {
  const { method = 'GET', headers } = request
  const url = new URL(request.url ?? '/', 'http://x')
  const given = method === 'POST' ? new URLSearchParams(await text(request)) : url.searchParams
  const { refresh_token: shown, password: _, ...parameters } = Object.fromEntries(given)
  const as = whoIs(headers.authorization, shown)
  requests.push({ method, parameters, as })
  if (as === 'stranger') {
    const errors = [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }]
    response.writeHead(401).end(JSON.stringify({ errors }))
    return
  }
  const access = given
    .getAll('scope')
    .flatMap((scope) => scope.split(' '))
    .flatMap((scope) => grant(scope, as))
  const token = issue(certificate, access)
  const refresh = given.get('offline_token') === 'true' && as !== 'nobody' ? { refresh_token: lasting } : {}
  response.end(JSON.stringify({ [method === 'POST' ? 'access_token' : 'token']: token, expires_in: 300, ...refresh }))
}

function whoIs(authorization: string | undefined, shown: string | undefined): TokenRequestSeen['as'] {
  if (authorization === basic) return 'password'
  if (shown === lasting) return 'refresh-token'
  return authorization === undefined && shown === undefined ? 'nobody' : 'stranger'
}

function grant(scope: string, as: TokenRequestSeen['as']): object[] {
  const [, type, name = '', actions = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? []
  const asked = actions.split(',')
  const allowed = as !== 'nobody' ? asked : asked.filter((action) => action === 'pull' && name.startsWith('public/'))
  return allowed.length === 0 ? [] : [{ type, name, actions: allowed }]
}

function issue({ cert, key }: TestCertificate, access: readonly object[]): string {
  const seconds = Math.floor(Date.now() / 1000)
  const times = { nbf: seconds - 10, iat: seconds, exp: seconds + 300 }
  const claims = { iss: 'tests', sub: 'user', aud: 'tests', jti: randomUUID(), access, ...times }
  const certificate = new X509Certificate(cert).raw.toString('base64')
  const signed = [{ typ: 'JWT', alg: 'ES256', x5c: [certificate] }, claims].map(encode).join('.')
  const signature = sign('sha256', Buffer.from(signed), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
