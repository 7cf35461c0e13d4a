import { command } from '../../command.ts'
import { changeConfig } from '../../config/change-config.ts'
import { checkContextName, defaultName } from '../../contexts/context.ts'

export const useCommand = command({
  usage: 'CONTEXT',
  summary: 'Keep the context that is used where none is named',
  flags: {},
  least: 1,
  most: 1,
  withoutEngine: true,
  async run(cli, { args: [name = ''] }) {
    const { contexts, stdout, stderr, configDirectory } = cli
    if (name !== defaultName) contexts.read(checkContextName(name))
    const wanted = name === defaultName ? undefined : name
    if (((await cli.config()).currentContext || undefined) !== wanted) {
      await changeConfig(configDirectory, (config) => ({ ...config, currentContext: wanted }))
    }
    await stdout.write(`${name}\n`)
    await stderr.write(`Current context is now ${JSON.stringify(name)}\n`)
    const variable = contexts.hostVariable
    if (variable && wanted) {
      await stderr.write(
        `Warning: ${variable} environment variable overrides the active context. To use ${JSON.stringify(name)}, either set the global --context flag, or unset ${variable} environment variable.\n`,
      )
    }
    return 0
  },
})
