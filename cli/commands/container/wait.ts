import { internal } from '#base/errors.ts'
import { openWait } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'

export const waitCommand = command({
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Wait for containers to end and print their exit status',
  flags: {},
  least: 1,
  async run(cli, { args }) {
    return await forEach(cli, args, async (name) => {
      const { StatusCode, Error: failure } = await (await openWait(cli.client, name, 'not-running')).result
      if (failure) throw internal(failure.Message)
      return String(StatusCode)
    })
  },
})
