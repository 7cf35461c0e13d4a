import type { ImagePruneReport } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { pruneFilterFlag, toFilterQuery } from '../../options/filter.ts'
import { formatDeletedImages, formatReclaimed } from '../../output/prune-report.ts'
import { toggle } from '../../parsing/flag.ts'
import { confirm } from '../../terminal/confirm.ts'

export const pruneCommand = command({
  usage: '[OPTIONS]',
  summary: 'Remove images that nothing uses',
  flags: {
    all: toggle('all', 'Every image without a container, not only those without a name', { short: 'a' }),
    filter: pruneFilterFlag(),
    force: toggle('force', 'Do not ask', { short: 'f' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    const which = flags.all ? 'all images without at least one container associated to them.' : 'all dangling images.'
    if (!flags.force) await confirm(cli, `WARNING! This will remove ${which}`, 'image prune')
    const filters = toFilterQuery([...flags.filter, `dangling=${!flags.all}`])
    const report = await cli.client.json<ImagePruneReport>('POST', '/images/prune', { query: { filters } })
    await cli.stdout.write(`${formatDeletedImages(report)}${formatReclaimed(report.SpaceReclaimed)}`)
    return 0
  },
})
