import { command } from '../../command.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { pathFinder, showObjects } from '../system/show-objects.ts'

export const inspectCommand = command({
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  summary: 'Show everything known of networks',
  flags: {
    format: text('format', objectFormatHelp, { short: 'f' }),
    verbose: toggle('verbose', 'More, for finding faults', { short: 'v' }),
  },
  least: 1,
  async run(cli, { flags, args }) {
    return await showObjects(cli, args, {
      finders: [pathFinder('networks')],
      kind: 'network',
      format: flags.format,
    })
  },
})
