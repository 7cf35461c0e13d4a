import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { integer, text } from '../../parsing/flag.ts'

export const stopCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Ask containers to end, then make them',
  flags: {
    signal: text('signal', 'Signal to send', { short: 's' }),
    timeout: integer('timeout', 'Seconds from asking to killing', { short: 't' }),
    time: { ...integer('time', 'Seconds from asking to killing'), hidden: true },
  },
  least: 1,
  async run(cli, { flags, args }) {
    const query = { signal: flags.signal === '' ? undefined : flags.signal, t: flags.timeout ?? flags.time }
    return await forEach(cli, args, async (name) => {
      await cli.client.send('POST', containerPath(name, '/stop'), { query })
      return name
    })
  },
})
