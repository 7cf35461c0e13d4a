import { networkPath } from '../../client/networks.ts'
import { command } from '../../command.ts'
import { toggle } from '../../parsing/flag.ts'

export const disconnectCommand = command({
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Disconnect a container from a network',
  flags: { force: toggle('force', 'Also when the container is in a bad state', { short: 'f' }) },
  least: 2,
  most: 2,
  async run(cli, { flags, args: [network = '', container = ''] }) {
    const body = { Container: container, Force: flags.force }
    await cli.client.send('POST', networkPath(network, '/disconnect'), { body })
    return 0
  },
})
