import { isKind } from '#base/errors.ts'
import { networkPath } from '../../client/networks.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { toggle } from '../../parsing/flag.ts'

export const rmCommand = command({
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove networks',
  flags: { force: toggle('force', 'One that is not there is no error', { short: 'f' }) },
  least: 1,
  async run(cli, { flags, args }) {
    return await forEach(cli, args, async (name) => {
      try {
        await cli.client.send('DELETE', networkPath(name))
      } catch (error) {
        if (!flags.force || !isKind(error, 'not-found')) throw error
        await cli.stderr.write(`${error.message}\n`)
        return undefined
      }
      return name
    })
  },
})
