import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Of a registry that sends people to itself for tokens, and gives those who want to stay one that lasts; it prints each request for a token. */
const program = `
import { createServer } from 'node:http'
const basic = 'Basic ' + Buffer.from('user:secret').toString('base64')
const server = createServer(async (request, response) => {
  const base = 'http://' + request.headers.host
  const url = new URL(request.url, base)
  if (url.pathname === '/token') {
    let body = ''
    for await (const chunk of request) body += chunk
    const form = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams
    console.log(request.method + ' ' + (form.get('refresh_token') ?? ''))
    if (request.headers.authorization !== basic && form.get('refresh_token') !== 'lasting') {
      const errors = [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }]
      return response.writeHead(401).end(JSON.stringify({ errors }))
    }
    const lasting = form.get('offline_token') === 'true' ? { refresh_token: 'lasting' } : {}
    return response.end(JSON.stringify({ token: 'passing', ...lasting }))
  }
  if (request.headers.authorization === 'Bearer passing') return response.end('{}')
  response.writeHead(401, { 'www-authenticate': 'Bearer realm="' + base + '/token",service="tests"' }).end()
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

export interface TokenRegistry extends AsyncDisposable {
  readonly host: string
  /** Method and refresh token of each request for a token. */
  readonly requests: readonly string[]
}

/** @param enter the command that leads to the network namespace in which it listens */
export async function startTokenRegistry(enter: readonly string[]): Promise<TokenRegistry> {
  const [command = '', ...args] = [...enter, process.execPath, '--input-type=module', '-e', program]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const requests: string[] = []
  const [port] = await once(child.stdout, 'data')
  child.stdout.on('data', (text) => requests.push(...String(text).trimEnd().split('\n')))
  return {
    host: `127.0.0.1:${Number(port)}`,
    requests,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
