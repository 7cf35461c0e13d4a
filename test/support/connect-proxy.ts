import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Of an HTTP proxy that leads every name to this machine, and prints a line for each; argv[2] are the credentials it wants, if any. */
const program = `
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
const wanted = process.argv[2]
const isRefused = ({ headers }) => wanted !== undefined && headers['proxy-authorization'] !== wanted
const server = createServer((incoming, outgoing) => {
  if (isRefused(incoming)) return outgoing.writeHead(407).end()
  const { url, method, headers } = incoming
  console.log(new URL(url).host + ' ' + (headers['proxy-authorization'] ?? ''))
  delete headers['proxy-authorization']
  const { port, pathname, search } = new URL(url)
  const passed = request({ host: '127.0.0.1', port, path: pathname + search, method, headers, agent: false })
  passed.on('response', (answer) => answer.pipe(outgoing.writeHead(answer.statusCode, answer.headers)))
  passed.on('error', () => outgoing.destroy())
  incoming.pipe(passed)
})
server.on('connect', (incoming, client) => {
  const { url, headers } = incoming
  if (isRefused(incoming)) return client.end('HTTP/1.1 407 Proxy Authentication Required\\r\\n\\r\\n')
  console.log(url + ' ' + (headers['proxy-authorization'] ?? ''))
  const target = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
    client.write('HTTP/1.1 200 OK\\r\\n\\r\\n')
    client.pipe(target).pipe(client)
  })
  for (const socket of [client, target]) socket.on('error', () => { client.destroy(); target.destroy() })
})
server.listen(Number(process.argv[1]), '127.0.0.1', () => console.log('ready'))
`

export interface ConnectProxy extends AsyncDisposable {
  /** `host:port` and the credentials of each tunnel, and each request for http://, that was allowed. */
  readonly tunnels: readonly string[]
}

/**
 * Starts a proxy on a port of another network namespace.
 * @param enter the command that leads there
 * @param credentials `Basic …`, without which it refuses everything
 */
export async function startConnectProxy(
  enter: readonly string[],
  port: number,
  credentials?: string,
): Promise<ConnectProxy> {
  const node = [process.execPath, '--input-type=module', '-e', program, `${port}`]
  const [command = '', ...args] = [...enter, ...node, ...(credentials === undefined ? [] : [credentials])]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  child.stdout.on('data', (text) => lines.push(...String(text).trim().split('\n')))
  await once(child.stdout, 'data')
  return {
    get tunnels() {
      return lines.filter((line) => line !== 'ready')
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
