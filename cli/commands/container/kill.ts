import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { text } from '../../parsing/flag.ts'

export const killCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Send containers a signal, SIGKILL by default',
  flags: { signal: text('signal', 'Signal to send', { short: 's' }) },
  least: 1,
  async run(cli, { flags, args }) {
    const query = { signal: flags.signal === '' ? undefined : flags.signal }
    return await forEach(cli, args, async (name) => {
      await cli.client.send('POST', containerPath(name, '/kill'), { query })
      return name
    })
  },
})
