import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** Where Docker looks for plugins. */
const announced = '/run/docker/plugins'

/** Runs the command behind it where plugins are announced in this directory: others on the machine must not find them. */
export function seeingPlugins(directory: string): readonly string[] {
  const script = `mkdir -p ${announced} && mount --bind ${directory} ${announced} && exec "$@"`
  return ['unshare', '-m', '--propagation', 'private', 'sh', '-c', script, 'sh']
}

interface Call {
  readonly method: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface VolumePlugin extends AsyncDisposable {
  readonly name: string
  /** What was asked since the last time. */
  takeCalls(): Call[]
  /** From now on that method answers so. */
  answer(method: string, status: number, body: string): void
}

/**
 * A volume driver that keeps directories.
 * @param root where it keeps them
 * @param directory where it is announced
 */
export async function startVolumePlugin(
  name: string,
  { root, directory }: { readonly root: string; readonly directory: string },
): Promise<VolumePlugin> {
  const calls: Call[] = []
  const volumes = new Set<string>()
  const forced = new Map<string, { readonly status: number; readonly body: string }>()
  const place = (volume: unknown) => join(root, String(volume))
  const known = (volume: unknown) => ({ Name: volume, Mountpoint: place(volume), Status: { kind: 'test' } })

  const methods: Readonly<Record<string, (body: Call['body']) => Promise<object> | object>> = {
    'Plugin.Activate': () => ({ Implements: ['VolumeDriver'] }),
    'VolumeDriver.Capabilities': () => ({ Capabilities: { Scope: 'global' } }),
    async 'VolumeDriver.Create'({ Name }) {
      await mkdir(place(Name), { recursive: true })
      volumes.add(String(Name))
      return {}
    },
    async 'VolumeDriver.Remove'({ Name }) {
      await rm(place(Name), { recursive: true, force: true })
      volumes.delete(String(Name))
      return {}
    },
    'VolumeDriver.Get': ({ Name }) =>
      volumes.has(String(Name)) ? { Volume: known(Name) } : { Err: 'none of this name' },
    'VolumeDriver.List': () => ({ Volumes: [...volumes].map(known) }),
    'VolumeDriver.Path': ({ Name }) => ({ Mountpoint: place(Name) }),
    'VolumeDriver.Mount': ({ Name }) => ({ Mountpoint: place(Name) }),
    'VolumeDriver.Unmount': () => ({}),
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = (request.url ?? '').slice(1)
    const sent = await text(request)
    const body = (sent.trim() === '' ? {} : JSON.parse(sent)) as Call['body']
    calls.push({ method, body })
    const instead = forced.get(method)
    if (instead) response.writeHead(instead.status).end(instead.body)
    else response.end(JSON.stringify((await methods[method]?.(body)) ?? { Err: `no method ${method}` }))
  }
  const server = createServer((request, response) => void serve(request, response))
  const socket = join(directory, `${name}.sock`)
  server.listen(socket)
  await once(server, 'listening')
  return {
    name,
    takeCalls: () => calls.splice(0),
    answer: (method, status, body) => void forced.set(method, { status, body }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(socket, { force: true })
    },
  }
}
