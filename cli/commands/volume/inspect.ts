import { command } from '../../command.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { text } from '../../parsing/flag.ts'
import { pathFinder, showObjects } from '../system/show-objects.ts'

export const inspectCommand = command({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Show everything known of volumes',
  flags: { format: text('format', objectFormatHelp, { short: 'f' }) },
  least: 1,
  async run(cli, { flags, args }) {
    return await showObjects(cli, args, { finders: [pathFinder('volumes')], kind: 'volume', format: flags.format })
  },
})
