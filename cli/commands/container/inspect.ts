import { command } from '../../command.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { containerFinder, showObjects } from '../system/show-objects.ts'

export const inspectCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Show everything known of containers',
  flags: {
    format: text('format', objectFormatHelp, { short: 'f' }),
    size: toggle('size', 'Show how much they have written', { short: 's' }),
  },
  least: 1,
  async run(cli, { flags, args }) {
    const finder = containerFinder(flags.size)
    return await showObjects(cli, args, { finders: [finder], kind: 'container', format: flags.format })
  },
})
