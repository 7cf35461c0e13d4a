import { invalid } from '#base/errors.ts'
import { readAll } from '#base/streams.ts'
import type { AuthAnswer } from '#contract/types.gen.ts'
import type { Cli } from '../../cli.ts'
import { command } from '../../command.ts'
import { dockerHub, findAuth, type RegistryAuth } from '../../config/credential-helper.ts'
import { serverOf, storeCredentials } from '../../config/credentials.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { ask, askSecret } from '../../terminal/ask.ts'

const maxPassword = 64 << 10

export const loginCommand = command({
  usage: '[OPTIONS] [SERVER]',
  summary: 'Show a registry who you are, and keep it for pulls',
  flags: {
    password: text('password', 'Password or token; others on this machine can see it', { short: 'p' }),
    passwordStdin: toggle('password-stdin', 'Read the password from standard input'),
    username: text('username', 'Name of the user', { short: 'u' }),
  },
  least: 0,
  most: 1,
  async run(cli, { flags, args: [name = ''] }) {
    const server = serverOf(name)
    const auth = await credentialsFor(cli, server, flags)
    const { IdentityToken, Status } = await cli.client.json<AuthAnswer>('POST', '/auth', { body: auth })
    const { password: _, ...withoutPassword } = auth
    const kept = IdentityToken === '' ? auth : { ...withoutPassword, identitytoken: IdentityToken }
    const file = await storeCredentials(cli.configDirectory, await cli.config(), kept)
    if (file !== undefined) {
      await cli.stderr.write(
        `WARNING! The credentials are kept unencrypted in '${file}'; a credential helper ("credsStore") would encrypt them.\n`,
      )
    }
    await cli.stdout.write(`${Status}\n`)
    return 0
  },
})

interface LoginFlags {
  readonly password: string
  readonly passwordStdin: boolean
  readonly username: string
}

/** From flags, standard input, what is stored, and the user, in this order. */
async function credentialsFor(cli: Cli, server: string, flags: LoginFlags): Promise<RegistryAuth> {
  const { username, password, passwordStdin } = flags
  if (passwordStdin) {
    if (password !== '') throw invalid('conflicting options: cannot specify both --password and --password-stdin')
    if (username === '') throw invalid('the --password-stdin option requires --username to be set')
    const given = await readAll(cli.stdin.open(), maxPassword, 'the password')
    return { username, password: given.toString('utf8').replace(/\r?\n$/, ''), serveraddress: server }
  }
  if (password !== '') {
    await cli.stderr.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n')
    if (username !== '') return { username, password, serveraddress: server }
  }
  const stored = await findAuth(await cli.config(), server === dockerHub ? 'docker.io' : server)
  const isAnother = username !== '' && stored?.username !== username
  if (stored !== undefined && password === '' && !isAnother) {
    await cli.stdout.write('Authenticating with existing credentials...\n')
    return { ...stored, serveraddress: server }
  }
  if (!cli.stdin.isTerminal) throw invalid('Cannot perform an interactive login from a non TTY device')
  const user = username !== '' ? username : await ask(cli, 'Username: ')
  if (user === '') throw invalid('username is required')
  const secret = password !== '' ? password : await askSecret(cli, 'Password: ')
  if (secret === '') throw invalid('password is required')
  return { username: user, password: secret, serveraddress: server }
}
