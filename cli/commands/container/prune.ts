import type { ContainerPruneReport } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { pruneFilterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatDeletedContainers, formatReclaimed } from '../../output/prune-report.ts'
import { toggle } from '../../parsing/flag.ts'
import { confirm } from '../../terminal/confirm.ts'

export const pruneCommand = command({
  usage: '[OPTIONS]',
  summary: 'Remove all containers that do not run',
  flags: {
    filter: pruneFilterFlag(),
    force: toggle('force', 'Do not ask', { short: 'f' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    if (!flags.force) await confirm(cli, 'WARNING! This will remove all stopped containers.', 'container prune')
    const report = await cli.client.json<ContainerPruneReport>('POST', '/containers/prune', {
      query: { filters: toFilterQuery(flags.filter) },
    })
    await cli.stdout.write(`${formatDeletedContainers(report)}${formatReclaimed(report.SpaceReclaimed)}`)
    return 0
  },
})
