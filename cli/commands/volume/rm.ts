import { volumePath } from '../../client/volumes.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { toggle } from '../../parsing/flag.ts'

export const rmCommand = command({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Remove volumes that no container has',
  flags: { force: toggle('force', 'One that is not there is no error', { short: 'f' }) },
  least: 1,
  async run(cli, { flags, args }) {
    return await forEach(cli, args, async (name) => {
      await cli.client.send('DELETE', volumePath(name), { query: { force: flags.force } })
      return name
    })
  },
})
