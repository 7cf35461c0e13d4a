import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Of an HTTP proxy for CONNECT that leads every name to this machine, and prints a line for each. */
const program = `
import { createServer } from 'node:http'
import { connect } from 'node:net'
const server = createServer((_, response) => response.writeHead(501).end())
server.on('connect', ({ url, headers }, client) => {
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
  /** `host:port` and the credentials of each tunnel that was asked for. */
  readonly tunnels: readonly string[]
}

/** Starts a proxy on a port of another network namespace.   @param enter the command that leads there */
export async function startConnectProxy(enter: readonly string[], port: number): Promise<ConnectProxy> {
  const [command = '', ...args] = [...enter, process.execPath, '--input-type=module', '-e', program, `${port}`]
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
