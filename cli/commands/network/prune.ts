import type { NetworkPruneReport } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { pruneFilterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatDeletedNetworks } from '../../output/prune-report.ts'
import { toggle } from '../../parsing/flag.ts'
import { confirm } from '../../terminal/confirm.ts'

export const pruneCommand = command({
  usage: '[OPTIONS]',
  summary: 'Remove networks that no running container uses',
  flags: { filter: pruneFilterFlag(), force: toggle('force', 'Do not ask', { short: 'f' }) },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    if (!flags.force) {
      const warning = 'WARNING! This will remove all custom networks not used by at least one container.'
      await confirm(cli, warning, 'network prune')
    }
    const report = await cli.client.json<NetworkPruneReport>('POST', '/networks/prune', {
      query: { filters: toFilterQuery(flags.filter) },
    })
    await cli.stdout.write(formatDeletedNetworks(report))
    return 0
  },
})
