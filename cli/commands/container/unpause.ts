import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'

export const unpauseCommand = command({
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Let frozen containers go on',
  flags: {},
  least: 1,
  async run(cli, { args }) {
    return await forEach(cli, args, async (name) => {
      await cli.client.send('POST', containerPath(name, '/unpause'))
      return name
    })
  },
})
