import { command } from '../../command.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { text } from '../../parsing/flag.ts'
import { imageFinder, showObjects } from '../system/show-objects.ts'

export const inspectCommand = command({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Show everything known of images',
  flags: {
    format: text('format', objectFormatHelp, { short: 'f' }),
    platform: text('platform', 'Of this platform, as os[/arch[/variant]]'),
  },
  least: 1,
  async run(cli, { flags, args }) {
    return await showObjects(cli, args, { finders: [imageFinder(flags.platform)], kind: 'image', format: flags.format })
  },
})
