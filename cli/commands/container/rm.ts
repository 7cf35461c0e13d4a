import { isKind } from '#base/errors.ts'
import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { toggle } from '../../parsing/flag.ts'

export const rmCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove containers',
  flags: {
    force: toggle('force', 'Kill it first when it runs', { short: 'f' }),
    link: toggle('link', 'Remove a link instead', { short: 'l' }),
    volumes: toggle('volumes', 'Remove its anonymous volumes too', { short: 'v' }),
  },
  least: 1,
  async run(cli, { flags, args }) {
    return await forEach(cli, args, async (given) => {
      const name = given.replace(/^\/+(?=.)/, '')
      try {
        await cli.client.send('DELETE', containerPath(name), {
          query: { force: flags.force, link: flags.link, v: flags.volumes },
        })
      } catch (error) {
        // "rm -f" asks for a state: what is not there is already removed.
        if (!flags.force || !isKind(error, 'not-found')) throw error
        await cli.stderr.write(`${error.message}\n`)
        return undefined
      }
      return given
    })
  },
})
