import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestCertificate } from './tls.ts'

/** Of a registry's index that finds the same for every term, and prints the query and the credentials of each search. */
const program = `
import { readFileSync } from 'node:fs'
import * as plain from 'node:http'
import * as secure from 'node:https'
const { results, tls, port } = JSON.parse(process.argv[1])
const options = tls ? { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) } : {}
const server = (tls ? secure : plain).createServer(options, ({ url, headers }, response) => {
  const { pathname, search } = new URL(url, 'http://x')
  if (pathname !== '/v1/search') return response.writeHead(404).end('<html>')
  console.log(search + ' ' + (headers.authorization ?? ''))
  response.setHeader('content-type', 'application/json')
  if (search.startsWith('?q=garbage')) return response.end('<html>')
  response.end(JSON.stringify({ num_results: results.length, query: '', results }))
})
server.listen(port, '127.0.0.1', () => console.log(server.address().port))
`

export interface IndexServer extends AsyncDisposable {
  readonly host: string
  /** Query and credentials of each search. */
  readonly searches: readonly string[]
}

export interface IndexServerOptions {
  /** The command that leads to the network namespace in which it listens. */
  readonly enter: readonly string[]
  readonly results: readonly object[]
  /** A free one by default. */
  readonly port?: number
  readonly tls?: Pick<TestCertificate, 'certFile' | 'keyFile'>
}

export async function startIndexServer({ enter, ...options }: IndexServerOptions): Promise<IndexServer> {
  const node = [process.execPath, '--input-type=module', '-e', program, JSON.stringify({ port: 0, ...options })]
  const [command = '', ...args] = [...enter, ...node]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const searches: string[] = []
  const [port] = await once(child.stdout, 'data')
  child.stdout.on('data', (text) => searches.push(...String(text).trimEnd().split('\n')))
  return {
    host: `127.0.0.1:${Number(port)}`,
    searches,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
