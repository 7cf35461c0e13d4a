import { invalid, notFound } from '#base/errors.ts'
import type { ContainerInspect, PortBinding } from '#contract/types.gen.ts'
import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'

export const portCommand = command({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: 'List the ports of a container',
  flags: {},
  least: 1,
  most: 2,
  async run(cli, { args: [name = '', asked] }) {
    const { NetworkSettings } = await cli.client.json<ContainerInspect>('GET', containerPath(name, '/json'))
    const published = Object.entries(NetworkSettings.Ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map((binding) => ({ port, address: formatBinding(binding) })),
    )
    if (asked === undefined) {
      const lines = published.map(({ port, address }) => `${port} -> ${address}\n`)
      await cli.stdout.write(lines.sort(byPort).join(''))
      return 0
    }
    const port = parsePort(asked)
    const found = published.filter((one) => one.port === port)
    if (found.length === 0) {
      throw new ExitError(1, `Error: No public port '${asked}' published for ${name}`, notFound(port))
    }
    await cli.stdout.write(found.map(({ address }) => `${address}\n`).join(''))
    return 0
  },
})

function parsePort(text: string): string {
  const [port = '', protocol = 'tcp'] = text.split('/')
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw invalid(`Error: invalid port (${port}): ${whyNot(port)}`)
  return `${port}/${protocol}`
}

/** In Go's words, as docker says it. */
function whyNot(port: string): string {
  const why = /^\d+$/.test(port) ? 'value out of range' : 'invalid syntax'
  return `strconv.ParseUint: parsing ${JSON.stringify(port)}: ${why}`
}

function formatBinding({ HostIp = '', HostPort = '' }: PortBinding): string {
  return HostIp.includes(':') ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`
}

/** By number, then as they come. */
function byPort(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10)
}
