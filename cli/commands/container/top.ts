import type { ContainerTop } from '#contract/types.gen.ts'
import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { formatColumns } from '../../output/table.ts'

export const topCommand = command({
  usage: 'CONTAINER [ps OPTIONS]',
  summary: 'Show the processes of a container',
  flags: {},
  least: 1,
  stopsAtArgument: true,
  async run(cli, { args: [name = '', ...options] }) {
    const { Titles, Processes } = await cli.client.json<ContainerTop>('GET', containerPath(name, '/top'), {
      query: { ps_args: options.length === 0 ? undefined : options.join(' ') },
    })
    await cli.stdout.write(formatColumns([Titles, ...Processes], 20))
    return 0
  },
})
