import { isKind, messageOf } from '#base/errors.ts'
import { networkPath } from '../../client/networks.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'
import { forEach } from '../../for-each.ts'
import { toggle } from '../../parsing/flag.ts'

export const rmCommand = command({
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove networks',
  flags: { force: toggle('force', 'One that is not there is no error', { short: 'f' }) },
  least: 1,
  async run(cli, { flags, args }) {
    return await told(
      forEach(cli, args, async (name) => {
        try {
          await cli.client.send('DELETE', networkPath(name))
        } catch (error) {
          if (!flags.force || !isKind(error, 'not-found')) throw error
          return undefined
        }
        return name
      }),
    )
  },
})

/** Docker has a last line of its own. */
async function told(work: Promise<number>): Promise<number> {
  try {
    return await work
  } catch (error) {
    throw new ExitError(1, `${messageOf(error)}\nexit status 1`, error)
  }
}
