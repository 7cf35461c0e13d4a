import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { stopFlags, stopQuery } from './stop-flags.ts'

export const stopCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Ask containers to end, then make them',
  flags: stopFlags,
  least: 1,
  async run(cli, { flags, args }) {
    const query = stopQuery(flags)
    return await forEach(cli, args, async (name) => {
      await cli.client.send('POST', containerPath(name, '/stop'), { query })
      return name
    })
  },
})
