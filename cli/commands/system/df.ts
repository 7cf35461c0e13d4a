import { invalid } from '#base/errors.ts'
import type { DiskUsage } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { toUsageRows, usageColumns, usageTable } from '../../output/disk-usage.ts'
import { formatVerboseUsage } from '../../output/disk-usage-verbose.ts'
import { formatHelp } from '../../output/format-flag.ts'
import { formatRows, parseRowFormat } from '../../output/table.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const dfCommand = command({
  usage: '[OPTIONS]',
  summary: 'Show what takes the disk',
  flags: {
    format: text('format', formatHelp),
    verbose: toggle('verbose', 'Every object', { short: 'v' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    if (flags.verbose && flags.format !== '') throw invalid('--verbose has no --format: leave one of them out')
    const usage = await cli.client.json<DiskUsage>('GET', '/system/df')
    const shown = flags.verbose
      ? await formatVerboseUsage(usage, Date.now())
      : await formatRows(toUsageRows(usage), usageColumns, parseRowFormat(flags.format, usageTable))
    await cli.stdout.write(shown)
    return 0
  },
})
