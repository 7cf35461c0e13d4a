import type { VolumePruneReport } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { pruneFilterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatDeletedVolumes, formatReclaimed } from '../../output/prune-report.ts'
import { toggle } from '../../parsing/flag.ts'
import { confirm } from '../../terminal/confirm.ts'

export const pruneCommand = command({
  usage: '[OPTIONS]',
  summary: 'Remove local volumes that no container has',
  flags: {
    all: toggle('all', 'Those with a name too', { short: 'a' }),
    filter: pruneFilterFlag(),
    force: toggle('force', 'Do not ask', { short: 'f' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    if (!flags.force) {
      const which = flags.all ? 'all local volumes' : 'anonymous local volumes'
      await confirm(cli, `WARNING! This will remove ${which} not used by at least one container.`, 'volume prune')
    }
    const filters = toFilterQuery([...flags.filter, ...(flags.all ? ['all=true'] : [])])
    const report = await cli.client.json<VolumePruneReport>('POST', '/volumes/prune', { query: { filters } })
    await cli.stdout.write(`${formatDeletedVolumes(report)}${formatReclaimed(report.SpaceReclaimed)}`)
    return 0
  },
})
