import { command } from '../../command.ts'
import { forgetCredentials, serverOf } from '../../config/credentials.ts'

export const logoutCommand = command({
  usage: '[SERVER]',
  summary: 'Forget the credentials of a registry',
  flags: {},
  least: 0,
  most: 1,
  async run(cli, { args: [name = ''] }) {
    const server = serverOf(name)
    const hadAny = await forgetCredentials(cli.configDirectory, await cli.config(), server)
    await cli.stdout.write(hadAny ? `Removing login credentials for ${server}\n` : `Not logged in to ${server}\n`)
    return 0
  },
})
