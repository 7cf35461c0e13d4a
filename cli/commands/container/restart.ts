import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { stopFlags, stopQuery } from './stop-flags.ts'

export const restartCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Stop containers and start them again',
  flags: stopFlags,
  least: 1,
  async run(cli, { flags, args }) {
    const query = stopQuery(flags)
    return await forEach(cli, args, async (name) => {
      await cli.client.send('POST', containerPath(name, '/restart'), { query })
      return name
    })
  },
})
