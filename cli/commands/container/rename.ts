import { invalid, messageOf } from '#base/errors.ts'
import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'

export const renameCommand = command({
  usage: 'CONTAINER NEW_NAME',
  summary: 'Give a container another name',
  flags: {},
  least: 2,
  most: 2,
  async run(cli, { args: [name = '', newName = ''] }) {
    if (name.trim() === '' || newName.trim() === '') throw invalid('Error: Neither old nor new names may be empty')
    try {
      await cli.client.send('POST', containerPath(name.trim(), '/rename'), { query: { name: newName.trim() } })
    } catch (error) {
      throw new ExitError(1, `${messageOf(error)}\nError: failed to rename container named ${name.trim()}`, error)
    }
    return 0
  },
})
