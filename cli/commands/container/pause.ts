import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'

export const pauseCommand = command({
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Freeze containers',
  flags: {},
  least: 1,
  async run(cli, { args }) {
    return await forEach(cli, args, async (name) => {
      await cli.client.send('POST', containerPath(name, '/pause'))
      return name
    })
  },
})
