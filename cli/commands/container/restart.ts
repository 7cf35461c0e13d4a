import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { integer, text } from '../../parsing/flag.ts'

export const restartCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Restart one or more containers',
  flags: {
    signal: text('signal', 'Signal to send to the container', { short: 's' }),
    timeout: integer('timeout', 'Seconds to wait before killing the container', { short: 't' }),
    time: { ...integer('time', 'Seconds to wait before killing the container'), hidden: true },
  },
  least: 1,
  async run(cli, { flags, args }) {
    const query = { signal: flags.signal === '' ? undefined : flags.signal, t: flags.timeout ?? flags.time }
    return await forEach(cli, args, async (name) => {
      await cli.client.send('POST', containerPath(name, '/restart'), { query })
      return name
    })
  },
})
