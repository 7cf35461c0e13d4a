/** Runs beside the daemon: starts containers with testcontainers, prints what they answer, stops one, and ends without the others. */

import { once } from 'node:events'
import { requireNpmClient } from '#test/support/npm-clients.ts'

const { GenericContainer, Network, Wait } = requireNpmClient('testcontainers')

const network = await new Network().start()
const server = await new GenericContainer('busybox')
  .withCommand(['httpd', '-f', '-v', '-p', '8000', '-h', '/srv'])
  .withCopyContentToContainer([{ content: 'copied', target: '/srv/index.html' }])
  .withExposedPorts(8000)
  .withNetwork(network)
  .withNetworkAliases('server')
  .start()
const url = `http://${server.getHost()}:${server.getMappedPort(8000)}/`
const answer = await (await fetch(url)).text()

const other = await new GenericContainer('busybox')
  .withCommand(['sh', '-c', 'echo ready; exec sleep 600'])
  .withNetwork(network)
  .withWaitStrategy(Wait.forLogMessage('ready'))
  .start()
const { output, exitCode } = await other.exec(['wget', '-qO-', 'http://server:8000/'])
// Its socket does not keep the process alive.
const alive = setInterval(() => undefined, 1000)
const [line] = await once(await other.logs(), 'data')
clearInterval(alive)

const checked = await new GenericContainer('busybox')
  .withCommand(['sleep', '600'])
  .withHealthCheck({ test: ['CMD', 'true'], interval: 100, timeout: 5000, retries: 3, startPeriod: 0 })
  .withWaitStrategy(Wait.forHealthCheck())
  .start()
await checked.stop()

console.log(JSON.stringify({ answer, output, exitCode, line: String(line).trim() }))
process.exit()
