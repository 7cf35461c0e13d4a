import { invalid } from '#base/errors.ts'
import { command } from '../../command.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { containerFinder, type Finder, imageFinder, pathFinder, showObjects } from './show-objects.ts'

export const inspectCommand = command({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Show everything known of containers, images, networks, volumes',
  flags: {
    format: text('format', objectFormatHelp, { short: 'f' }),
    size: toggle('size', 'Show how much containers have written', { short: 's' }),
    type: text('type', 'Only this kind: container, image, network, volume'),
  },
  least: 1,
  async run(cli, { flags, given, args }) {
    if (given.has('type') && flags.type === '')
      throw invalid('type is empty: must be one of "container", "image", "network", "volume"')
    const finders: Readonly<Record<string, Finder>> = {
      container: containerFinder(flags.size),
      image: imageFinder(),
      network: pathFinder('networks'),
      volume: pathFinder('volumes'),
    }
    if (flags.type === '') {
      return await showObjects(cli, args, { finders: Object.values(finders), kind: undefined, format: flags.format })
    }
    const finder = Object.hasOwn(finders, flags.type) ? finders[flags.type] : undefined
    if (!finder)
      throw invalid(`unknown type: "${flags.type}": must be one of "container", "image", "network", "volume"`)
    return await showObjects(cli, args, { finders: [finder], kind: flags.type, format: flags.format })
  },
})
